type Node = { [key: string]: unknown };

/**
 * What a newer API document takes away from, or newly demands of, those who use the older one: a removed path, parameter,
 * field or enum value, another type, a field of a request that is required now. Additions are fine.
 *
 * @returns a sentence for each; empty when everything old still works.
 */
export function findBreakingChanges(before: unknown, after: unknown): string[] {
  const changes: string[] = [];
  for (const [path, operations] of members(child(before, 'paths'))) {
    for (const [method, operation] of members(operations)) {
      const place = `${method.toUpperCase()} ${path}`;
      const now = child(child(child(after, 'paths'), path), method);
      if (now === undefined) changes.push(`${place} was removed`);
      else compareOperations(operation, now, place, changes);
    }
  }
  return changes;
}

/** The part of an API document that is promised: no examples, no explanations, no problems. Keys stay in order. */
export function promiseOf(document: unknown): { paths: Record<string, unknown> } {
  const paths: Node = {};
  for (const [path, operations] of members(child(document, 'paths'))) {
    const kept: Node = {};
    for (const [method, operation] of members(operations)) {
      const { summary, description, tags, ...promised } = isNode(operation) ? operation : {};
      const responses = members(promised.responses).filter(([status]) => Number(status) < 400);
      kept[method] = withoutWords({ ...promised, responses: Object.fromEntries(responses) });
    }
    paths[path] = kept;
  }
  return { paths };
}

function withoutWords(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutWords);
  if (!isNode(value)) return value;
  const isWord = ([key, word]: [string, unknown]) =>
    key === 'example' || key === 'examples' || (key === 'description' && typeof word === 'string');
  return Object.fromEntries(
    members(value)
      .filter((member) => !isWord(member))
      .map(([key, member]) => [key, withoutWords(member)]),
  );
}

function compareOperations(before: unknown, after: unknown, place: string, changes: string[]): void {
  if (child(before, 'operationId') !== child(after, 'operationId')) changes.push(`${place} has another operationId`);
  const keyOf = (parameter: unknown) => `${child(parameter, 'in')} ${child(parameter, 'name')}`;
  const now = new Map(list(child(after, 'parameters')).map((parameter) => [keyOf(parameter), parameter]));
  const old = new Map(list(child(before, 'parameters')).map((parameter) => [keyOf(parameter), parameter]));
  for (const [key, parameter] of old) {
    const same = now.get(key);
    if (same === undefined) changes.push(`${place}: parameter ${key} was removed`);
    else compareSchemas(child(parameter, 'schema'), child(same, 'schema'), `${place} ${key}`, 'request', changes);
  }
  for (const [key, parameter] of now) {
    const wasRequired = child(old.get(key), 'required') === true;
    if (child(parameter, 'required') === true && !wasRequired)
      changes.push(`${place}: parameter ${key} is required now`);
  }
  for (const [type, content] of members(child(child(before, 'requestBody'), 'content'))) {
    const same = child(child(child(after, 'requestBody'), 'content'), type);
    if (same === undefined) changes.push(`${place} takes no ${type} any more`);
    else compareSchemas(child(content, 'schema'), child(same, 'schema'), `${place} body`, 'request', changes);
  }
  for (const [status, response] of members(child(before, 'responses'))) {
    if (Number(status) >= 400) continue;
    const same = child(child(after, 'responses'), status);
    if (same === undefined) changes.push(`${place} does not answer ${status} any more`);
    for (const [type, content] of members(child(response, 'content'))) {
      const schema = child(child(child(same, 'content'), type), 'schema');
      compareSchemas(child(content, 'schema'), schema, `${place} ${status}`, 'answer', changes);
    }
  }
}

function compareSchemas(
  before: unknown,
  after: unknown,
  place: string,
  role: 'request' | 'answer',
  changes: string[],
): void {
  if (before === undefined) return;
  if (after === undefined) {
    changes.push(`${place} was removed`);
    return;
  }
  if (JSON.stringify(child(before, 'type')) !== JSON.stringify(child(after, 'type'))) {
    changes.push(`${place} has another type`);
  }
  const values = list(child(after, 'enum'));
  for (const value of list(child(before, 'enum'))) {
    if (!values.includes(value)) changes.push(`${place} lost the value ${String(value)}`);
  }
  for (const [name, field] of members(child(before, 'properties'))) {
    compareSchemas(field, child(child(after, 'properties'), name), `${place}.${name}`, role, changes);
  }
  const wasRequired = list(child(before, 'required'));
  for (const name of list(child(after, 'required'))) {
    if (role === 'request' && !wasRequired.includes(name)) changes.push(`${place}.${String(name)} is required now`);
  }
  compareSchemas(child(before, 'items'), child(after, 'items'), `${place}[]`, role, changes);
  list(child(before, 'anyOf')).forEach((option, i) => {
    compareSchemas(option, list(child(after, 'anyOf'))[i], `${place}(${i})`, role, changes);
  });
}

function child(value: unknown, key: string): unknown {
  return isNode(value) ? value[key] : undefined;
}

function members(value: unknown): [string, unknown][] {
  return isNode(value) ? Object.entries(value) : [];
}

function list(value: unknown): unknown[] {
  return Array.isArray(value) ? value : [];
}

function isNode(value: unknown): value is Node {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
