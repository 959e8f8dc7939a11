/** Checks the answers of the service against docs/openapi.json. */
import { Ajv2020 } from 'ajv/dist/2020.js';
import type { ValidateFunction } from 'ajv/dist/2020.js';
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

interface Schemed {
  readonly schema: object;
  readonly example?: unknown;
  readonly examples?: Readonly<Record<string, { readonly $ref: string }>>;
}

interface Response {
  readonly description: string;
  readonly headers?: Readonly<Record<string, object>>;
  readonly content?: Readonly<Record<string, Schemed>>;
}

interface Operation {
  readonly operationId: string;
  readonly summary: string;
  readonly security: readonly Readonly<Record<string, readonly string[]>>[];
  readonly parameters?: readonly ({ readonly name: string; readonly in: string } | { readonly $ref: string })[];
  readonly requestBody?: { readonly content: Readonly<Record<string, Schemed>> };
  readonly responses: Readonly<Record<string, Response>>;
}

interface Document {
  readonly openapi: string;
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>;
  readonly components: {
    readonly schemas: Readonly<Record<string, object>>;
    readonly headers: Readonly<Record<string, object>>;
    readonly examples: Readonly<Record<string, { readonly summary: string; readonly value: object }>>;
    readonly securitySchemes: Readonly<Record<string, object>>;
  };
}

export const document = JSON.parse(
  readFileSync(join(import.meta.dirname, '..', 'docs', 'openapi.json'), 'utf8'),
) as Document;

/** A request and its answer, as the texts that were sent. */
export interface Exchange {
  readonly method: string;
  /** The path with its query. */
  readonly path: string;
  readonly sent?: string | undefined;
  readonly status: number;
  readonly headers: { readonly get: (name: string) => string | null };
  readonly answer: string;
}

/**
 * Asserts that the document describes this answer: its status, its headers and its whole body. Asserts too that the
 * document allows the request, if it was not refused. Skips paths outside the API.
 */
export function assertDocumented({ method, path, sent, status, headers, answer }: Exchange): void {
  const { pathname, searchParams } = new URL(path, 'http://service');
  const template = Object.keys(document.paths).find((one) => formOf(one).test(pathname));
  const verb = method.toLowerCase();
  const operation = template === undefined ? undefined : document.paths[template]?.[verb];
  if (template === undefined || operation === undefined) return;
  const about = `${method} ${pathname} answered ${status}`;
  const response = operation.responses[status];
  assert.ok(response, `${about}, which is not in the document`);
  const place = ['paths', template, verb];

  for (const name of Object.keys(document.components.headers)) {
    assert.ok(headers.get(name) === null || response.headers?.[name], `${about} with ${name}`);
  }
  assert.equal(answer === '', response.content === undefined, `${about} with the body "${answer}"`);
  if (answer !== '') {
    const [mediaType = ''] = (headers.get('content-type') ?? '').split(';');
    assert.ok(response.content?.[mediaType], `${about} as ${mediaType}`);
    const body: unknown = /json$/.test(mediaType) ? JSON.parse(answer) : answer;
    assertValid([...place, 'responses', String(status), 'content', mediaType], body, about);
    if (mediaType === 'application/problem+json') {
      const { code, status: stated } = body as { code: string; status: number };
      assert.ok(response.content[mediaType].examples?.[code], `${about} with the code ${code}`);
      assert.equal(stated, status, about);
    }
  }

  if (status >= 300) return;
  const names = (operation.parameters ?? []).map((one) => ('name' in one ? one.name : undefined));
  for (const name of searchParams.keys()) assert.ok(names.includes(name), `${about} to the parameter ${name}`);
  if (sent === undefined) return;
  const [mediaType = ''] = Object.keys(operation.requestBody?.content ?? {});
  assertValid([...place, 'requestBody', 'content', mediaType], sentValue(mediaType, sent), `${about} to the body`);
}

/** Returns the value of a body; of one with a value on each line, their list. */
function sentValue(mediaType: string, sent: string): unknown {
  const lines = mediaType === 'application/x-ndjson' ? sent.trimEnd().split('\n') : undefined;
  return lines === undefined ? JSON.parse(sent) : lines.map((line): unknown => JSON.parse(line));
}

/**
 * Closes a schema. Callers must accept members and values that no schema names, but a test must not: an unnamed one
 * means that a schema is incomplete.
 */
function closed(schema: unknown): unknown {
  if (Array.isArray(schema)) return schema.map(closed);
  if (schema === null || typeof schema !== 'object') return schema;
  const members = Object.fromEntries(
    Object.entries(schema).map(([name, value]) => [name === 'x-extensible-enum' ? 'enum' : name, closed(value)]),
  );
  const isOpen = 'type' in schema && 'properties' in schema && !('additionalProperties' in schema);
  return isOpen ? { ...members, additionalProperties: false } : members;
}

const ajv = new Ajv2020({ strict: false, allErrors: true, formats: { 'date-time': true } });
ajv.addSchema(closed(document) as object, 'openapi');
const validators = new Map<string, ValidateFunction>();

/** Asserts that a value matches the schema at this place of the document. */
export function assertValid(place: readonly string[], value: unknown, about: string): void {
  const pointer = [...place, 'schema'].map((name) => name.replaceAll('~', '~0').replaceAll('/', '~1')).join('/');
  const ref = `openapi#/${encodeURI(pointer)}`;
  const validate = validators.get(ref) ?? ajv.compile({ $ref: ref });
  validators.set(ref, validate);
  assert.ok(validate(value), `${about}: ${ajv.errorsText(validate.errors)} in ${JSON.stringify(value)}`);
}

function formOf(template: string): RegExp {
  return new RegExp(`^${template.replaceAll(/\{\w+\}/g, '[^/]+')}$`);
}
