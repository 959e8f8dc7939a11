/** The schemas of the document: those of answers by their names, and one for each body. */
import * as z from 'zod';
import type { ZodMiniType } from 'zod/mini';
import { namedSchemas } from '../lambdas/views/answer-schemas.ts';
import type { RouteName } from '../lambdas/contract.ts';
import { annotations, fields, maxMetadataKeys } from '../lambdas/http/body-fields.ts';
import { fieldTexts, textFor } from './openapi-texts.ts';

// Facts that a schema cannot express.
z.globalRegistry.add(fields.amount, { description: 'In minor units; written in digits only: neither 1.0 nor 1e2' });
z.globalRegistry.add(fields.currency, { description: 'ISO 4217, in upper case', examples: ['EUR'] });
z.globalRegistry.add(annotations.metadata.def.innerType, { maxProperties: maxMetadataKeys });

/** Removes the pattern of a time: it takes a line and a half, and the format says the same in a word. */
export function override({ jsonSchema }: { jsonSchema: z.core.JSONSchema.BaseSchema }): void {
  if (jsonSchema.format === 'date-time') delete jsonSchema.pattern;
}

/** Returns the named schemas and the routes' bodies, as a client writes and reads them. */
export function schemasOf(
  bodies: readonly { readonly name: RouteName; readonly body?: ZodMiniType | undefined }[],
): object {
  const registry = z.registry<{ id: string }>();
  for (const [id, schema] of Object.entries(namedSchemas)) registry.add(schema, { id });
  for (const { name, body } of bodies) if (body) registry.add(body, { id: requestName(name) });
  const { schemas } = z.toJSONSchema(registry, { io: 'input', uri: schemaRef, override });
  return Object.fromEntries(
    Object.entries(schemas).map(([id, { $schema, $id, ...schema }]: [string, Record<string, unknown>]) => [
      id,
      describedFields(id, id in namedSchemas ? withOpenEnums(schema) : schema),
    ]),
  );
}

type JsonObject = Readonly<Record<string, unknown>>;

function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Returns the value with every object in it changed, from the outside in. */
function mapObjects(value: unknown, change: (object: JsonObject) => JsonObject): unknown {
  if (Array.isArray(value)) return value.map((member) => mapObjects(member, change));
  if (!isObject(value)) return value;
  return Object.fromEntries(Object.entries(change(value)).map(([name, member]) => [name, mapObjects(member, change)]));
}

/** Returns the schema of an answer with open enums, as later versions may add values. */
function withOpenEnums(schema: JsonObject): unknown {
  return mapObjects(schema, ({ enum: values, ...rest }) =>
    Array.isArray(values)
      ? { ...rest, 'x-extensible-enum': values }
      : { ...rest, ...(values !== undefined && { enum: values }) },
  );
}

/** Returns the schema with a description for each field, and the pattern of currencies. */
function describedFields(id: string, schema: unknown): unknown {
  return mapObjects(schema, (object) => {
    const { properties } = object;
    if (object['type'] !== 'object' || !isObject(properties)) return object;
    const fields = Object.entries(properties).map(([name, field]) => {
      if (!isObject(field) || '$ref' in field) return [name, field];
      const description = field['description'] ?? textFor(fieldTexts, name, id);
      return [name, { ...field, ...(name === 'currency' && { pattern: '^[A-Z]{3}$' }), description }];
    });
    return { ...object, properties: Object.fromEntries(fields) as object };
  });
}

export function schemaRef(name: string): string {
  return `#/components/schemas/${name}`;
}

/** Returns for instance `CreateWalletRequest` for `create-wallet`. */
export function requestName(name: RouteName): string {
  const id = camelCase(name);
  return `${id.charAt(0).toUpperCase()}${id.slice(1)}Request`;
}

export function camelCase(name: string): string {
  return name.replaceAll(/-(\w)/g, (_, letter: string) => letter.toUpperCase());
}
