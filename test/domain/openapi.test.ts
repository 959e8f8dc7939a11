import { Ajv2020 } from 'ajv/dist/2020.js';
import assert from 'node:assert/strict';
import { describe, it } from '@jest/globals';
import { routes } from '../../lambdas/contract.ts';
import { errorTitles, WalletError } from '../../lambdas/domain/errors.ts';
import type { ErrorCode } from '../../lambdas/domain/errors.ts';
import { problem } from '../../lambdas/http/problem.ts';
import { assertDocumented, assertValid, document } from '../documented.ts';

const operations = Object.entries(document.paths).flatMap(([path, methods]) =>
  Object.entries(methods).map(([method, operation]) => ({ route: `${method.toUpperCase()} ${path}`, path, operation })),
);

/** Returns every `$ref` under a value. */
function refsIn(value: unknown): string[] {
  if (value === null || typeof value !== 'object') return [];
  return Object.entries(value).flatMap(([name, member]) =>
    name === '$ref' && typeof member === 'string' ? [member] : refsIn(member),
  );
}

/** Returns the target of a `$ref` of the document. */
function resolve(ref: string): unknown {
  assert.match(ref, /^#\//);
  return ref
    .slice('#/'.length)
    .split('/')
    .reduce<unknown>((value, name) => (value as Record<string, unknown> | undefined)?.[name], document);
}

interface ObjectSchema {
  readonly properties?: Readonly<Record<string, { readonly type?: string; readonly title?: string }>>;
}

describe('docs/openapi.json', () => {
  it('has every route of the contract and no other, each with its own name', () => {
    assert.match(document.openapi, /^3\.1\./);
    assert.deepEqual(operations.map(({ route }) => route).sort(), routes.map((r) => `${r.method} ${r.path}`).sort());
    assert.equal(new Set(operations.map(({ operation }) => operation.operationId)).size, routes.length);
  });

  it('states the purpose, scopes, path parameters and answers of each route', () => {
    for (const { route, path, operation } of operations) {
      assert.match(operation.summary, /^[A-Z].+[^.]$/, route);
      for (const scheme of operation.security.flatMap(Object.keys)) {
        assert.ok(scheme in document.components.securitySchemes, `${route}: ${scheme}`);
      }
      const inPath = (operation.parameters ?? []).flatMap((one) => ('in' in one && one.in === 'path' ? one.name : []));
      assert.deepEqual(inPath, path.match(/(?<=\{)\w+/g) ?? [], route);
      const answered = Object.entries(operation.responses);
      assert.ok(answered.some(([status]) => /^20\d$/.test(status)));
      for (const [status, { description }] of answered) assert.ok(description, `${route} ${status}`);
    }
  });

  it('has no $ref without a target, and no component without a reference', () => {
    const refs = new Set(refsIn(document));
    for (const ref of refs) assert.ok(resolve(ref), ref);
    const { schemas, headers } = document.components;
    for (const name of Object.keys(schemas)) assert.ok(refs.has(`#/components/schemas/${name}`), name);
    for (const name of Object.keys(headers)) assert.ok(refs.has(`#/components/headers/${name}`), name);
  });

  it('has valid schemas', () => {
    const ajv = new Ajv2020({ strict: false, formats: { 'date-time': true } });
    ajv.addSchema(document, 'openapi');
    for (const name of Object.keys(document.components.schemas)) {
      ajv.compile({ $ref: `openapi#/components/schemas/${name}` });
    }
    for (const { operation } of operations) {
      for (const parameter of operation.parameters ?? []) {
        if ('schema' in parameter) ajv.compile(parameter.schema as object);
      }
    }
  });

  it('has every code of the service, each under its status', () => {
    const found = new Set<string>();
    for (const { route, operation } of operations) {
      for (const [status, { content }] of Object.entries(operation.responses)) {
        for (const code of Object.keys(content?.['application/problem+json']?.examples ?? {}) as ErrorCode[]) {
          assert.equal(String(problem(new WalletError(code)).status), status, `${route}: ${code}`);
          found.add(code);
        }
      }
    }
    // Routes under a documented path never answer `not_found`.
    assert.deepEqual([...found, 'not_found'].sort(), Object.keys(errorTitles).sort());
  });
});

/** Returns every object under a value, with its path. */
function objectsIn(value: unknown, path = ''): { path: string; object: Readonly<Record<string, unknown>> }[] {
  if (value === null || typeof value !== 'object') return [];
  const inside = Object.entries(value).flatMap(([name, member]) => objectsIn(member, `${path}/${name}`));
  return Array.isArray(value) ? inside : [{ path, object: value as Record<string, unknown> }, ...inside];
}

describe('generators of clients', () => {
  it('meet no $ref with siblings, and no expression that only ECMAScript accepts', () => {
    for (const { path, object } of objectsIn(document)) {
      if ('$ref' in object) assert.deepEqual(Object.keys(object), ['$ref'], path);
      if (typeof object['pattern'] === 'string') {
        assert.doesNotMatch(object['pattern'], /\\[pP]\{|\\u\{|\(\?<[^=!]|\\k</, path);
      }
    }
  });

  it('find a text for each field, parameter, header and operation', () => {
    for (const { path, object } of objectsIn(document.components.schemas)) {
      if (object['type'] !== 'object') continue;
      for (const [name, field] of Object.entries((object['properties'] ?? {}) as Record<string, object>)) {
        assert.ok('description' in field || '$ref' in field, `${path}/${name}`);
      }
    }
    for (const { route, operation } of operations) {
      for (const parameter of operation.parameters ?? []) {
        assert.ok('$ref' in parameter || 'description' in parameter, `${route}: ${JSON.stringify(parameter)}`);
      }
    }
    for (const { path, object } of objectsIn(document.components.headers)) {
      if ('schema' in object) assert.ok(object['description'], path);
    }
  });

  it('give no two schemas one name: that of an object inside another is made of both', () => {
    for (const [schema, { properties = {} }] of Object.entries(document.components.schemas) as [
      string,
      ObjectSchema,
    ][]) {
      for (const [property, { type, title }] of Object.entries(properties)) {
        const name = schema + property.charAt(0).toUpperCase() + property.slice(1);
        if (type === 'object' && title === undefined) assert.ok(!(name in document.components.schemas), name);
      }
    }
  });

  it('find open values in answers and closed ones in requests', () => {
    for (const [name, schema] of Object.entries(document.components.schemas)) {
      const forbidden = name.endsWith('Request') ? 'x-extensible-enum' : 'enum';
      for (const { path, object } of objectsIn(schema, name)) assert.ok(!Array.isArray(object[forbidden]), path);
    }
  });

  it('find a pattern for each path parameter and for currencies', () => {
    for (const { object } of objectsIn(document)) {
      if (object['in'] === 'path') assert.ok((object['schema'] as { pattern?: string }).pattern);
      const { currency } = (object['properties'] ?? {}) as { currency?: { pattern?: string } };
      if (currency !== undefined) assert.equal(currency.pattern, '^[A-Z]{3}$');
    }
  });
});

describe('the examples of the document', () => {
  const contents = operations.flatMap(({ route, path, operation }) => {
    const place = ['paths', path, route.split(' ')[0]!.toLowerCase()];
    const bodies = { requestBody: operation.requestBody, ...operation.responses };
    return Object.entries(bodies).flatMap(([name, body]) =>
      Object.entries(body?.content ?? {}).map(([mediaType, content]) => ({
        place: [...place, ...(name === 'requestBody' ? [name] : ['responses', name]), 'content', mediaType],
        content,
      })),
    );
  });

  it('exist for each body and each answer, and match their schemas', () => {
    for (const { place, content } of contents) {
      const { example, examples = {} } = content;
      const values = Object.values(examples).map(({ $ref }) => (resolve($ref) as { value: unknown }).value);
      assert.ok(example !== undefined || values.length > 0, place.join(' '));
      for (const value of example === undefined ? values : [example]) assertValid(place, value, place.join(' '));
    }
  });

  it('have their fields in the order of the service', () => {
    const sample = Object.values(document.components.examples).map(({ value }) => Object.keys(value));
    for (const names of sample) {
      const order = [
        ...['type', 'title', 'status', 'code', 'detail', 'errors', 'limit', 'left', 'resetsAt', 'requestId'],
      ];
      assert.deepEqual(
        names,
        order.filter((name) => names.includes(name)),
      );
    }
  });
});

describe('an answer that the document does not describe', () => {
  const headers = new Headers({ 'Content-Type': 'application/json' });
  const healthy = { method: 'GET', path: '/health', status: 200, headers, answer: '{"status":"ok"}' };
  const keyed = { ...healthy, method: 'POST', path: '/bank/notifications', answer: '{"reference":"tx"}' };

  it('is found by its status, its media type, its headers or its members; so is the request', () => {
    assertDocumented(healthy);
    assertDocumented(keyed);
    for (const wrong of [
      { ...healthy, status: 201 },
      { ...healthy, headers: new Headers({ 'Content-Type': 'text/plain' }) },
      { ...healthy, headers: new Headers([...headers, ['ETag', '"1"']]) },
      { ...healthy, answer: '' },
      { ...healthy, answer: '{}' },
      { ...healthy, answer: '{"status":"ok","mood":"good"}' },
      { ...healthy, path: '/health?verbose=true' },
      { ...keyed, sent: '{"reference":"tx"}' },
    ]) {
      assert.throws(() => {
        assertDocumented(wrong);
      }, JSON.stringify(wrong));
    }
  });
});
