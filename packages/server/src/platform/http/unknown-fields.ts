import type { z } from 'zod';

/**
 * Finds fields a schema does not know, at any depth: a misspelt optional field would otherwise be dropped in silence.
 *
 * @returns their paths, below `path`.
 */
export function findUnknownFields(schema: z.core.$ZodType, value: unknown, path: string): string[] {
  // Every schema the contracts can build is one of these; the base class just does not say so.
  const def = (schema as z.core.$ZodTypes)._zod.def;
  switch (def.type) {
    case 'object':
      if (!isObject(value) || def.catchall !== undefined) return [];
      return Object.entries(value).flatMap(([key, member]) => {
        const field = Object.hasOwn(def.shape, key) ? def.shape[key] : undefined;
        const place = path === '' ? key : `${path}.${key}`;
        return field === undefined ? [place] : findUnknownFields(field, member, place);
      });
    case 'array':
      if (!Array.isArray(value)) return [];
      return value.flatMap((item, i) => findUnknownFields(def.element, item, `${path}[${i}]`));
    case 'record':
      if (!isObject(value)) return [];
      return Object.entries(value).flatMap(([key, item]) => findUnknownFields(def.valueType, item, `${path}.${key}`));
    case 'union': {
      const found = def.options.map((option) => findUnknownFields(option, value, path));
      return found.some((fields) => fields.length === 0) ? [] : (found[0] ?? []);
    }
    case 'optional':
    case 'nullable':
    case 'default':
    case 'prefault':
    case 'nonoptional':
    case 'readonly':
    case 'catch':
      return value === null ? [] : findUnknownFields(def.innerType, value, path);
    case 'pipe':
      return findUnknownFields(def.in, value, path);
    default:
      return [];
  }
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
