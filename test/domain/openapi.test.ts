import { Ajv2020 } from 'ajv/dist/2020.js';
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { routes } from '../../lambdas/contract.ts';
import { errorTitles, WalletError } from '../../lambdas/domain/errors.ts';
import type { ErrorCode } from '../../lambdas/domain/errors.ts';
import { problem } from '../../lambdas/runtime/problem.ts';
import { assertDocumented, document } from '../documented.ts';

const operations = Object.entries(document.paths).flatMap(([path, methods]) =>
  Object.entries(methods).map(([method, operation]) => ({ route: `${method.toUpperCase()} ${path}`, path, operation })),
);

/** Every `$ref` under a value. */
function refsIn(value: unknown): string[] {
  if (value === null || typeof value !== 'object') return [];
  return Object.entries(value).flatMap(([name, member]) =>
    name === '$ref' && typeof member === 'string' ? [member] : refsIn(member),
  );
}

/** What a `$ref` of the document points at. */
function resolve(ref: string): unknown {
  assert.match(ref, /^#\//);
  return ref
    .slice('#/'.length)
    .split('/')
    .reduce<unknown>((value, name) => (value as Record<string, unknown> | undefined)?.[name], document);
}

describe('docs/openapi.json', () => {
  it('has every route of the contract and no other, each under a name of its own', () => {
    assert.match(document.openapi, /^3\.1\./);
    assert.deepEqual(operations.map(({ route }) => route).sort(), routes.map((r) => `${r.method} ${r.path}`).sort());
    assert.equal(new Set(operations.map(({ operation }) => operation.operationId)).size, routes.length);
  });

  it('says of each route what it is for, who may, which parameters its path has, and what it answers', () => {
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

  it('points only at what is there, and has nothing that nobody points at', () => {
    const refs = new Set(refsIn(document));
    for (const ref of refs) assert.ok(resolve(ref), ref);
    const { schemas, headers } = document.components;
    for (const name of Object.keys(schemas)) assert.ok(refs.has(`#/components/schemas/${name}`), name);
    for (const name of Object.keys(headers)) assert.ok(refs.has(`#/components/headers/${name}`), name);
  });

  it('has schemas that are schemas', () => {
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
        const schema = content?.['application/problem+json']?.schema as
          { properties: { code: { enum: ErrorCode[] } } } | undefined;
        for (const code of schema?.properties.code.enum ?? []) {
          assert.equal(String(problem(new WalletError(code)).status), status, `${route}: ${code}`);
          found.add(code);
        }
      }
    }
    // What is asked for under a path of the document is never `not_found`.
    assert.deepEqual([...found, 'not_found'].sort(), Object.keys(errorTitles).sort());
  });
});

describe('an answer that the document does not tell of', () => {
  const headers = new Headers({ 'Content-Type': 'application/json' });
  const healthy = { method: 'GET', path: '/health', status: 200, headers, answer: '{"status":"ok"}' };
  const keyed = { ...healthy, method: 'POST', path: '/bank/notifications', answer: '{"reference":"tx"}' };

  it('is found, by its status, its media type, its headers or its members; so is the request', () => {
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
