/**
 * Hostile requests, generated from docs/openapi.json. Each is a documented request with a few parts replaced by values
 * that no careful client sends. Every documented parameter, header, field and name is a target, so that a new route is
 * covered without a new line here.
 */
import fc from 'fast-check';
import { Agent, request as httpRequest } from 'node:http';
import { document } from '../documented.ts';
import { inherited, json, overlong, text } from './hostile-values.ts';

type Json = Readonly<Record<string, unknown>>;

/**
 * A request with placeholders for the values of the running service: `{walletId}` for an id, in paths and in bodies.
 */
export interface HostileRequest {
  readonly operationId: string;
  readonly method: string;
  /** The path with its query, escaped. */
  readonly path: string;
  readonly headers: readonly (readonly [name: string, value: string])[];
  readonly body?: Uint8Array;
  readonly caller: 'owner' | 'operator' | 'anonymous' | 'bank';
}

/** The values that replace the ids of a generated request. */
export type Ids = Readonly<Record<'walletId' | 'toWalletId' | 'transactionId' | 'receiptCode', string>>;

interface Schema {
  readonly type?: string;
  readonly enum?: readonly unknown[];
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly items?: Schema;
  readonly additionalProperties?: Schema | boolean;
}

interface Parameter {
  readonly name: string;
  readonly in: string;
}

interface Operation {
  readonly operationId: string;
  readonly method: string;
  readonly template: string;
  readonly parameters: readonly Parameter[];
  readonly body?: { readonly schema: Schema; readonly example: object };
  readonly isOpen: boolean;
}

/** A part of a request that is replaced or added. */
type Change =
  | { readonly in: 'path' | 'query' | 'header'; readonly name: string; readonly values: readonly string[] }
  /**
   * The field at this path of the body becomes this JSON text. With `isMember` the text is a whole member of the
   * object.
   */
  | { readonly in: 'body'; readonly at: readonly string[]; readonly raw: string; readonly isMember: boolean }
  | { readonly in: 'bytes'; readonly bytes: Uint8Array };

function resolved<T extends object>(value: T): T {
  if (!('$ref' in value)) return value;
  const names = String(value.$ref).slice('#/'.length).split('/');
  return names.reduce<unknown>((from, name) => (from as Json)[name], document) as T;
}

/** Every operation of the document. */
export const operations: readonly Operation[] = Object.entries(document.paths).flatMap(([template, methods]) =>
  Object.entries(methods).map(([method, { operationId, parameters = [], requestBody, security }]): Operation => {
    const content = requestBody?.content['application/json'];
    return {
      operationId,
      method: method.toUpperCase(),
      template,
      parameters: parameters.map((parameter) => resolved(parameter) as Parameter),
      ...(content && { body: { schema: resolved(content.schema), example: content.example as object } }),
      isOpen: security.some((alternative) => Object.keys(alternative).every((name) => name.startsWith('bank'))),
    };
  }),
);

/** Returns whether an operation needs an Idempotency-Key. */
export function isKeyed({ parameters }: Operation): boolean {
  return parameters.some(({ name }) => name === 'Idempotency-Key');
}

/** Returns the paths of a body's fields, of its objects, and of its objects whose names the caller chooses. Of a list, those in its first element. */
function placesIn(schema: Schema, at: readonly string[] = []): Record<'fields' | 'objects' | 'maps', string[][]> {
  const parts = { ...schema.properties, ...(schema.items && { 0: schema.items }) };
  const inside = Object.entries(parts).map(([name, field]) => placesIn(field, [...at, name]));
  const isMap = typeof schema.additionalProperties === 'object';
  return {
    fields: [
      ...(at.length > 0 ? [[...at]] : []),
      ...(isMap ? [[...at, 'a']] : []),
      ...inside.flatMap(({ fields }) => fields),
    ],
    objects: [...(schema.type === 'object' ? [[...at]] : []), ...inside.flatMap(({ objects }) => objects)],
    maps: [...(isMap ? [[...at]] : []), ...inside.flatMap(({ maps }) => maps)],
  };
}

/** Headers that every route may receive, besides those of the document. */
const commonHeaders = [
  ...['Content-Type', 'Content-Encoding', 'Authorization', 'Accept', 'Accept-Encoding', 'Idempotency-Key', 'Prefer'],
  ...['If-None-Match', 'X-Forwarded-For', 'X-HTTP-Method-Override', 'constructor', '__proto__', 'Origin'],
];

function changesOf({ parameters, body }: Operation): fc.Arbitrary<Change> {
  const named = (place: string) => parameters.flatMap((parameter) => (parameter.in === place ? parameter.name : []));
  const values = fc.oneof(
    { weight: 4, arbitrary: text.map((value) => [value]) },
    { weight: 1, arbitrary: fc.tuple(text, text) },
  );
  const replaced = (place: 'path' | 'query' | 'header', names: readonly string[]) =>
    fc.record({ in: fc.constant(place), name: fc.constantFrom(...names), values });
  const inPath = named('path');
  const changes: fc.Arbitrary<Change>[] = [
    replaced('query', [...named('query'), ...named('query'), 'unknown', ...inherited]),
    replaced('header', [...named('header'), ...commonHeaders]),
    ...(inPath.length > 0
      ? [
          fc.record({
            in: fc.constant('path' as const),
            name: fc.constantFrom(...inPath),
            values: fc.oneof({ weight: 3, arbitrary: text }, fc.constantFrom(...overlong)).map((value) => [value]),
          }),
        ]
      : []),
  ];
  if (!body) {
    return fc.oneof(
      ...changes,
      fc.record({ in: fc.constant('bytes' as const), bytes: fc.uint8Array({ maxLength: 200 }) }),
    );
  }
  const { fields, objects, maps } = placesIn(body.schema);
  const members = fc.tuple(fc.oneof(text, fc.constantFrom('amount', 'currency', 'a', 'account')), json);
  return fc.oneof(
    ...changes,
    ...(fields.length === 0
      ? []
      : [
          {
            weight: 3,
            arbitrary: fc.record({
              in: fc.constant('body' as const),
              at: fc.constantFrom(...fields),
              raw: json,
              isMember: fc.constant(false),
            }),
          },
        ]),
    fc.record({
      in: fc.constant('body' as const),
      at: fc.constantFrom(...objects),
      raw: members.map(([name, value]) => `${JSON.stringify(name)}:${value}`),
      isMember: fc.constant(true),
    }),
    ...(maps.length === 0
      ? []
      : [
          fc.record({
            in: fc.constant('body' as const),
            at: fc.constantFrom(...maps),
            raw: text.map((name) => `${JSON.stringify(name)}:"a"`),
            isMember: fc.constant(true),
          }),
        ]),
    fc.record({
      in: fc.constant('bytes' as const),
      bytes: fc.oneof(
        fc.uint8Array({ maxLength: 200 }),
        json.map((value) => Buffer.from(value)),
        fc.constant(Buffer.from('\ufeff{}')),
        fc.constant(Buffer.from(`{"description":"${'x'.repeat(70_000)}"}`)),
      ),
    }),
  );
}

/** Encodes a string as careless encoders do: half a surrogate pair becomes bytes that are not UTF-8. */
function bytesOf(value: string): Buffer {
  return Buffer.concat(
    Array.from(value, (character) => {
      const unit = character.charCodeAt(0);
      if (character.length > 1 || unit < 0xd800 || unit > 0xdfff) return Buffer.from(character);
      return Buffer.from([0xed, 0x80 | ((unit >> 6) & 0x3f), 0x80 | (unit & 0x3f)]);
    }),
  );
}

function escaped(value: string): string {
  return [...bytesOf(value)]
    .map((byte) => String.fromCharCode(byte))
    .map((character) =>
      /[A-Za-z0-9_-]/.test(character) ? character : `%${character.charCodeAt(0).toString(16).padStart(2, '0')}`,
    )
    .join('');
}

/** Replaces the characters that no client can send in a header, and cuts the text at 2,000. */
function headerText(value: string): string {
  return value.replaceAll(/[^\t\x20-\x7e\u0080-\u00ff]/g, '?').slice(0, 2_000);
}

function bodyWith(example: object, changes: readonly Extract<Change, { in: 'body' }>[]): Buffer {
  const body = structuredClone(example) as Record<string, unknown>;
  const swaps = changes.map(({ at, raw, isMember }, index) => {
    const mark = `@${index}@`;
    const path = isMember ? [...at, mark] : at;
    let object = body;
    for (const name of path.slice(0, -1)) {
      if (typeof object[name] !== 'object' || object[name] === null) object[name] = {};
      object = object[name] as Record<string, unknown>;
    }
    Object.defineProperty(object, path.at(-1)!, {
      value: isMember ? 0 : mark,
      enumerable: true,
      configurable: true,
      writable: true,
    });
    return { from: isMember ? `"${mark}":0` : `"${mark}"`, to: raw };
  });
  return bytesOf(swaps.reduce((json, { from, to }) => json.replace(from, () => to), JSON.stringify(body)));
}

function requestOf(
  operation: Operation,
  caller: HostileRequest['caller'],
  key: string,
  changes: readonly Change[],
): HostileRequest {
  const at = (place: 'path' | 'query' | 'header') => changes.flatMap((change) => (change.in === place ? [change] : []));
  let path = operation.template;
  for (const { name, values } of at('path')) path = path.replace(`{${name}}`, escaped(values[0]!));
  const query = at('query').flatMap(({ name, values }) => values.map((value) => `${escaped(name)}=${escaped(value)}`));
  const headers = new Map<string, readonly string[]>([
    ...(isKeyed(operation) ? [['idempotency-key', [key]] as const] : []),
    ...(operation.body ? [['content-type', ['application/json']] as const] : []),
  ]);
  for (const { name, values } of at('header')) headers.set(name.toLowerCase(), values.map(headerText));
  const bytes = changes.find((change) => change.in === 'bytes')?.bytes;
  const body =
    bytes ??
    (operation.body &&
      bodyWith(
        operation.body.example,
        changes.filter((change) => change.in === 'body'),
      ));
  return {
    operationId: operation.operationId,
    method: operation.method,
    path: query.length > 0 ? `${path}?${query.join('&')}` : path,
    headers: [...headers].flatMap(([name, lines]) => lines.map((line) => [name, line] as const)),
    ...(body && { body }),
    caller: operation.isOpen ? 'bank' : caller,
  };
}

const callers = fc.oneof(
  { weight: 5, arbitrary: fc.constantFrom('owner' as const, 'operator' as const) },
  { weight: 1, arbitrary: fc.constant('anonymous' as const) },
);

/** Requests to each operation. An operation with more targets gets more requests. */
export const hostileRequest: fc.Arbitrary<HostileRequest> = fc.oneof(
  ...operations.map((operation) => ({
    weight: 1 + operation.parameters.length + (operation.body ? placesIn(operation.body.schema).fields.length : 0),
    arbitrary: fc
      .tuple(
        callers,
        fc.uuid(),
        fc.oneof(
          { weight: 1, arbitrary: fc.constant([]) },
          { weight: 7, arbitrary: changesOf(operation).map((change) => [change]) },
          { weight: 2, arbitrary: fc.array(changesOf(operation), { minLength: 2, maxLength: 3 }) },
        ),
      )
      .map(([caller, key, changes]) => requestOf(operation, caller, key, changes)),
  })),
);

/** Connections that are reused. The tests must destroy this agent at their end. */
export const agent = new Agent({ keepAlive: true, maxSockets: 4 });

/** Sends exactly these bytes, without correction by a client. */
export function sendRaw(
  baseUrl: string,
  { method, path, headers, body }: Pick<HostileRequest, 'method' | 'path' | 'headers' | 'body'>,
): Promise<{ status: number; headers: Headers; answer: Buffer }> {
  return new Promise((resolve, reject) => {
    const { hostname, port } = new URL(baseUrl);
    const sent = httpRequest({ agent, hostname, port, method, path });
    for (const [name, value] of headers) sent.appendHeader(name, value);
    if (body) sent.setHeader('content-length', body.byteLength);
    sent.on('error', reject).on('response', (response) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk)).on('error', reject);
      response.on('end', () => {
        const all = Object.entries(response.headers).map(([name, value]) => [name, String(value)] as [string, string]);
        resolve({ status: response.statusCode ?? 0, headers: new Headers(all), answer: Buffer.concat(chunks) });
      });
    });
    sent.end(body);
  });
}
