/**
 * The gateway's answers to preflight requests, in which a browser asks for the methods and headers that a page may
 * send.
 */
import { AwsSolutionsChecks } from 'cdk-nag';
import assert from 'node:assert/strict';
import { describe, it } from '@jest/globals';
import { routes } from '../../lambdas/contract.ts';
import { resourcesOf, synthesize, theOnly } from './synthesized.ts';

describe('preflight requests, where pages may use the API', () => {
  const origins = ['https://app.example.com', 'http://localhost:5173'];
  const withPages = synthesize({
    cors: { allowedOrigins: origins },
    fourEyes: {},
    batches: true,
    webhooks: true,
    statementFiles: true,
  }).template;
  const preflights = [...resourcesOf(withPages, 'AWS::ApiGateway::Method').values()].filter(
    ({ Properties }) => Properties['HttpMethod'] === 'OPTIONS',
  );

  it('are answered by the gateway itself, on every path and without a token', () => {
    assert.equal(preflights.length, new Set(routes.map(({ path }) => path)).size);
    for (const { Properties } of preflights) {
      const { Type, Uri } = Properties['Integration'] as { Type: string; Uri?: string };
      assert.deepEqual([Properties['AuthorizationType'], Type, Uri], ['NONE', 'MOCK', undefined]);
    }
  });

  it('have the throttle of the stage, so that no caller can use up a smaller one for all pages', () => {
    const [, stage] = theOnly(withPages, 'AWS::ApiGateway::Stage');
    const settings = stage.Properties['MethodSettings'] as { HttpMethod: string; ThrottlingRateLimit?: number }[];
    assert.deepEqual(
      settings.filter(({ HttpMethod }) => HttpMethod === 'OPTIONS'),
      [],
    );
    assert.equal(settings.find(({ HttpMethod }) => HttpMethod === '*')?.ThrottlingRateLimit, 1_000);
  });

  it('name the origin of the request when it is allowed', () => {
    const answerOf = (allowedOrigins: string[]) => {
      const [method] = [
        ...resourcesOf(synthesize({ cors: { allowedOrigins } }).template, 'AWS::ApiGateway::Method').values(),
      ].filter(({ Properties }) => Properties['HttpMethod'] === 'OPTIONS');
      const { IntegrationResponses } = method!.Properties['Integration'] as {
        IntegrationResponses: {
          ResponseParameters: Record<string, string>;
          ResponseTemplates?: Record<string, string>;
        }[];
      };
      const { ResponseParameters: headers, ResponseTemplates: templates } = IntegrationResponses[0]!;
      return [headers['method.response.header.Access-Control-Allow-Origin'], templates?.['application/json']] as const;
    };
    assert.deepEqual(answerOf(['*']), ["'*'", undefined]);
    assert.deepEqual(answerOf([origins[0]!]), [`'${origins[0]!}'`, undefined]);
    const [fixed, template] = answerOf(origins);
    assert.equal(fixed, undefined);
    assert.match(template!, /\$origin == "https:\/\/app\.example\.com" \|\| \$origin == "http:\/\/localhost:5173"/);
  });

  it('leave no finding of cdk-nag', () => {
    const { stack } = synthesize({ cors: { allowedOrigins: origins } });
    assert.deepEqual(new AwsSolutionsChecks(stack).validateScope(stack).violations, []);
  });
});
