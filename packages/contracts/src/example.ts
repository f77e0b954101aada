import { z } from 'zod';

/**
 * An example of a schema, built from the `example` each of its fields carries.
 *
 * @param place Named in the error: the route and part it is for.
 * @throws Error naming the first field that has none, so that a test finds it.
 */
export function exampleOf(schema: z.core.$ZodType, place = ''): unknown {
  const meta = z.globalRegistry.get(schema);
  if (meta !== undefined && 'example' in meta) return meta.example;
  // The base class does not say that it is one of these.
  const def = (schema as z.core.$ZodTypes)._zod.def;
  switch (def.type) {
    case 'object':
      return Object.fromEntries(
        Object.entries(def.shape).map(([key, field]) => [key, exampleOf(field, `${place}.${key}`)]),
      );
    case 'array':
      return [exampleOf(def.element, `${place}[0]`)];
    case 'optional':
    case 'nullable':
    case 'default':
    case 'prefault':
    case 'nonoptional':
    case 'readonly':
    case 'catch':
      return exampleOf(def.innerType, place);
    case 'pipe':
      return exampleOf(def.in, place);
    case 'union':
      return exampleOf(def.options[0]!, place);
    case 'enum':
      return Object.values(def.entries)[0];
    case 'literal':
      return def.values[0];
    case 'boolean':
      return true;
    case 'record':
      return {};
    case 'null':
    case 'unknown':
      return null;
    default:
      throw new Error(`${place} has no example.`);
  }
}
