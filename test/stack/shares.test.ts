/** The limits that protect the service from a flood of requests. */
import { Match } from 'aws-cdk-lib/assertions';
import assert from 'node:assert/strict';
import { describe, it } from '@jest/globals';
import { environments, routes } from '../../lambdas/contract.ts';
import type { FunctionName } from '../../lambdas/contract.ts';
import type { WalletStackProps } from '../../lib/wallet-stack.ts';
import { resourcesOf, synthesize, theOnly } from './synthesized.ts';

const names = Object.keys(environments) as FunctionName[];

function idOf({ stack }: ReturnType<typeof synthesize>, name: FunctionName): string {
  const arn = stack.resolve(stack.service.functions[name]?.functionArn) as { 'Fn::GetAtt': [string, string] };
  return arn['Fn::GetAtt'][0];
}

/** Returns the reserved concurrency by function. */
function reservedIn(synthesized: ReturnType<typeof synthesize>): Partial<Record<FunctionName, number>> {
  const lambdas = resourcesOf(synthesized.template, 'AWS::Lambda::Function');
  const present = names.filter((name) => synthesized.stack.service.functions[name] !== undefined);
  const reserved = present.map((name) => [
    name,
    lambdas.get(idOf(synthesized, name))?.Properties['ReservedConcurrentExecutions'] as number | undefined,
  ]);
  return Object.fromEntries(reserved.filter(([, value]) => value !== undefined)) as Partial<
    Record<FunctionName, number>
  >;
}

describe('reserved concurrency', () => {
  it('is reserved for every function that serves no route, and caps the routes that may wait', () => {
    assert.deepEqual(reservedIn(synthesize()), {
      withdraw: 200,
      transfer: 200,
      withdrawals: 50,
      transfers: 10,
      relay: 40,
      projector: 40,
      notifier: 5,
      fraud: 5,
      'integrity-job': 2,
      sweeper: 2,
    });
  });

  it('leaves the routes and the authorizer a share of the usual quota, of which 100 cannot be reserved', () => {
    const reserved = Object.values(reservedIn(synthesize())).reduce((sum, value) => sum + value, 0);
    assert.equal(reserved, 554, 'docs/deploy.md and the prop say so');
    assert.ok(reserved <= 1_000 - 100);
    const routed = new Set<FunctionName>(routes.map((route) => route.function));
    const capped = Object.keys(reservedIn(synthesize())).filter((name) => routed.has(name as FunctionName));
    assert.deepEqual(capped, ['withdraw', 'transfer'], 'other routes answer at once');
  });

  it('of a worker equals the concurrency of its event source, for any props', () => {
    const variants: WalletStackProps[] = [{}, { bank: { concurrency: 7 }, transferConcurrency: 300 }];
    for (const props of variants) {
      const synthesized = synthesize(props);
      const reserved = reservedIn(synthesized);
      const sources = [...resourcesOf(synthesized.template, 'AWS::Lambda::EventSourceMapping').values()];
      for (const name of ['withdrawals', 'transfers', 'notifier', 'fraud'] as const) {
        const id = idOf(synthesized, name);
        const source = sources.find(({ Properties }) => (Properties['FunctionName'] as { Ref: string }).Ref === id);
        const { MaximumConcurrency } = source?.Properties['ScalingConfig'] as { MaximumConcurrency: number };
        assert.ok(MaximumConcurrency <= (reserved[name] ?? 0), name);
      }
    }
  });

  it('takes other shares, and none for an account with a small quota', () => {
    const other = reservedIn(synthesize({ reservedConcurrency: { streams: 160, waitingRoutes: 50 } }));
    assert.deepEqual([other.relay, other.projector, other.withdraw, other.transfer], [160, 160, 50, 50]);
    assert.deepEqual(reservedIn(synthesize({ reservedConcurrency: false })), {});
    assert.throws(() => synthesize({ reservedConcurrency: { streams: 0 } }), /streams must be .* received 0/);
  });
});

describe('the web ACL', () => {
  it("blocks an address that sends more than half of the API's limit, before the stage", () => {
    const { template } = synthesize({ throttle: { ratePerSecond: 100, burst: 200 } });
    const [aclId, acl] = theOnly(template, 'AWS::WAFv2::WebACL');
    assert.equal(acl.Properties['Scope'], 'REGIONAL');
    assert.deepEqual(acl.Properties['DefaultAction'], { Allow: {} });
    const [rule] = acl.Properties['Rules'] as { Action: object; Statement: object }[];
    assert.deepEqual(rule?.Action, { Block: {} });
    assert.deepEqual(rule.Statement, {
      RateBasedStatement: { AggregateKeyType: 'IP', EvaluationWindowSec: 300, Limit: 15_000 },
    });
    const [stageId] = theOnly(template, 'AWS::ApiGateway::Stage');
    const [, association] = theOnly(template, 'AWS::WAFv2::WebACLAssociation');
    assert.deepEqual(association.Properties['WebACLArn'], { 'Fn::GetAtt': [aclId, 'Arn'] });
    assert.ok(JSON.stringify(association.Properties['ResourceArn']).includes(`{"Ref":"${stageId}"}`));
  });

  it('is an existing one, or absent, where the props say so', () => {
    const arn = 'arn:aws:wafv2:eu-west-1:111122223333:regional/webacl/mine/1';
    const given = synthesize({ webAcl: arn }).template;
    given.resourceCountIs('AWS::WAFv2::WebACL', 0);
    given.hasResourceProperties('AWS::WAFv2::WebACLAssociation', { WebACLArn: arn });
    const without = synthesize({ webAcl: false }).template;
    for (const type of ['WebACL', 'WebACLAssociation']) without.resourceCountIs(`AWS::WAFv2::${type}`, 0);
  });
});

describe('connections', () => {
  const { template } = synthesize();

  it("to the API's own address are TLS 1.2 at least", () => {
    template.hasResourceProperties('AWS::ApiGateway::RestApi', { SecurityPolicy: 'TLS_1_2' });
  });

  it('to the archive are TLS 1.2 at least', () => {
    template.hasResourceProperties('AWS::S3::BucketPolicy', {
      PolicyDocument: {
        Statement: Match.arrayWith([
          Match.objectLike({ Effect: 'Deny', Condition: { NumericLessThan: { 's3:TlsVersion': 1.2 } } }),
        ]),
      },
    });
  });
});
