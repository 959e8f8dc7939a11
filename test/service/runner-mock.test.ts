import assert from 'node:assert/strict';
import { describe, it } from '@jest/globals';
import { readMock } from '../../local/api-gateway/mock-integration.ts';
import type { MockProperties } from '../../local/api-gateway/mock-integration.ts';

const good: MockProperties = {
  RequestTemplates: { 'application/json': '{"statusCode":204}' },
  IntegrationResponses: [{ StatusCode: '204', ResponseParameters: { 'method.response.header.Vary': "'Origin'" } }],
};
const [response] = good.IntegrationResponses!;

describe('a MOCK integration of the runner', () => {
  it('answers by itself, and refuses a body that no template takes', () => {
    const mock = readMock(good, 'Method');
    assert.deepEqual(mock({}), { status: 204, headers: [['vary', 'Origin']], body: Buffer.alloc(0) });
    assert.equal(mock({ 'content-type': 'text/plain' }), 'UNSUPPORTED_MEDIA_TYPE');
  });

  it('is refused when it would answer differently here', () => {
    for (const bad of [
      { ...good, RequestTemplates: { 'application/json': '{"statusCode":200}' } },
      { ...good, IntegrationResponses: [response!, response!] },
      { ...good, IntegrationResponses: [] },
      { ...good, IntegrationResponses: [{ ...response!, ResponseTemplates: { 'application/json': '$context.path' } }] },
      {
        ...good,
        IntegrationResponses: [{ ...response!, ResponseParameters: { 'method.response.header.A': 'context.path' } }],
      },
    ]) {
      assert.throws(() => readMock(bad, 'Method'), { name: 'TemplateError' });
    }
  });
});
