/** Updates: consumers before producers, and the gradual shift of traffic to new versions. */
import { Duration } from 'aws-cdk-lib';
import { LambdaDeploymentConfig } from 'aws-cdk-lib/aws-codedeploy';
import assert from 'node:assert/strict';
import { describe, it } from '@jest/globals';
import { environments, routes } from '../../lambdas/contract.ts';
import type { FunctionName } from '../../lambdas/contract.ts';
import { unversioned } from '../../lib/wallet-function.ts';
import { resourcesOf, statementsOf, synthesize, theOnly } from './synthesized.ts';
import type { Resource } from './synthesized.ts';

const every = Object.keys(environments) as FunctionName[];
const routed = [...new Set<FunctionName>([...routes.map((route) => route.function), 'console'])];
/** With the routes of approvals, batches and webhooks, and the console, which are off by default. */
const features = { fourEyes: {}, batches: true, console: {}, bankFiles: {}, webhooks: true } as const;
const usual = synthesize(features);
const canary = LambdaDeploymentConfig.CANARY_10PERCENT_5MINUTES;
/** Shifting versions leave room for approvals or for batches in one stack, not for both. */
const gradual = synthesize({ deployment: canary, batches: true });
/** The most resources that CloudFormation takes in one stack. */
const mostResources = 500;

type Synthesized = typeof usual;

function allOf({ template }: Synthesized): Map<string, Resource> {
  return new Map(Object.entries((template.toJSON() as { Resources: Record<string, Resource> }).Resources));
}

/** Returns the functions of a stack. */
function namesIn({ stack }: Synthesized): FunctionName[] {
  return every.filter((name) => stack.service.functions[name] !== undefined);
}

/** Returns the logical id of a function. */
function functionId({ stack }: Synthesized, name: FunctionName): string {
  const arn = stack.resolve(stack.service.functions[name]?.functionArn) as { 'Fn::GetAtt': [string, string] };
  return arn['Fn::GetAtt'][0];
}

/** Returns the logical ids that a value of a template refers to. */
function referred(value: unknown): string[] {
  if (Array.isArray(value)) return value.flatMap(referred);
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([key, item]: [string, unknown]) => {
    if (key === 'Ref') return [String(item)];
    if (key === 'Fn::GetAtt') return [String([item].flat()[0]).split('.')[0] ?? ''];
    return referred(item);
  });
}

/** Returns the logical ids that CloudFormation handles before a resource. */
function before({ DependsOn = [], ...resource }: Resource): string[] {
  return [...[DependsOn].flat(), ...referred(resource)];
}

/** Returns the resources that lead back to themselves. */
function circle(all: ReadonlyMap<string, Resource>): string[] {
  const open = new Map([...all].map(([id, each]) => [id, new Set(before(each).filter((one) => all.has(one)))]));
  for (;;) {
    const free = [...open].filter(([, needs]) => needs.size === 0).map(([id]) => id);
    if (free.length === 0) return [...open.keys()];
    for (const id of free) open.delete(id);
    for (const needs of open.values()) for (const id of free) needs.delete(id);
  }
}

/** Returns the logical id of the role with which the API invokes functions. */
function apiRoleOf({ template }: Synthesized): string {
  const methods = [...resourcesOf(template, 'AWS::ApiGateway::Method').values()];
  const roles = new Set(
    methods.flatMap(({ Properties }) => referred((Properties['Integration'] as Credentialed).Credentials)),
  );
  assert.equal(roles.size, 1);
  return [...roles][0] ?? '';
}
interface Credentialed {
  readonly Credentials?: unknown;
}

/** The order that the data takes: a function of a line reads only what functions of its line or of later ones write. */
const order: readonly (readonly FunctionName[])[] = [
  ['projector', 'relay', 'notifier', 'fraud', 'webhooks', 'bank-files', 'integrity-job'],
  ['withdrawals', 'transfers', 'batches', 'statement-writer', 'sweeper'],
  routed,
];

describe.each([
  ['all at once', usual],
  ['gradually', gradual],
])('an update %s', (_, synthesized) => {
  const all = allOf(synthesized);
  const aliases = resourcesOf(synthesized.template, 'AWS::Lambda::Alias');
  /** Returns the resource whose update gives a function its new code. */
  const changed = (name: FunctionName): string => {
    const id = functionId(synthesized, name);
    const alias = [...aliases].find(([, { Properties }]) => referred(Properties['FunctionName']).includes(id));
    return alias?.[0] ?? id;
  };

  it('changes consumers before producers, so that no new record meets an old reader', () => {
    const names = namesIn(synthesized);
    const existing = order.map((functions) => functions.filter((name) => names.includes(name)));
    for (const [index, producers] of existing.entries()) {
      for (const producer of producers) {
        const needs = [all.get(changed(producer))?.DependsOn ?? []].flat();
        for (const consumer of existing[index - 1] ?? []) {
          assert.ok(needs.includes(changed(consumer)), `${producer} changes after ${consumer}`);
        }
      }
    }
    assert.deepEqual([...order.flat(), 'authorizer'].sort(), [...every].sort());
  });

  it('changes the role of the API before its methods, and its deployment after them', () => {
    const deployment = theOnly(synthesized.template, 'AWS::ApiGateway::Deployment')[1];
    const role = apiRoleOf(synthesized);
    for (const [id, { Properties }] of resourcesOf(synthesized.template, 'AWS::ApiGateway::Method')) {
      assert.ok([deployment.DependsOn ?? []].flat().includes(id), id);
      const { Type, Credentials } = Properties['Integration'] as { Type: string; Credentials?: unknown };
      if (Type !== 'MOCK') assert.deepEqual(referred(Credentials), [role], id);
    }
  });

  it('leaves the role of the API as it is, also where the strategy changes: the former deployment goes on working', () => {
    const [statement, ...others] = statementsOf(synthesized.template, apiRoleOf(synthesized));
    const sorted = (values: unknown) =>
      [values]
        .flat()
        .map((value) => JSON.stringify(value))
        .sort();
    const existing = namesIn(synthesized);
    const resources = routed.flatMap((name) => {
      if (!existing.includes(name)) return [];
      const arn = { 'Fn::GetAtt': [functionId(synthesized, name), 'Arn'] };
      return [arn, { 'Fn::Join': ['', [arn, ':live']] }];
    });
    assert.deepEqual(others, []);
    assert.deepEqual([statement?.Action, statement?.Effect], ['lambda:InvokeFunction', 'Allow']);
    assert.deepEqual(sorted(statement?.Resource), sorted(resources));
    // What IAM stores of a role's policies: an ARN has at most 64 characters of a function's name.
    const longest = `"arn:aws-us-gov:lambda:us-gov-west-1:123456789012:function:${'n'.repeat(64)}:live",`;
    assert.ok(resources.length * longest.length < 10_000, 'a role has room for 10,240 characters');
  });

  it('has no circle, which CloudFormation would refuse', () => {
    assert.deepEqual(circle(all), []);
  });
});

describe('a template without traffic shifting', () => {
  it('has no versions, aliases and deployment groups', () => {
    const types = new Set([...allOf(usual).values()].map(({ Type }) => Type));
    for (const type of types) assert.doesNotMatch(type, /CodeDeploy|Lambda::(Version|Alias)/);
    const given = synthesize({ deployment: 'all-at-once', ...features });
    assert.deepEqual(given.template.toJSON(), usual.template.toJSON());
  });
});

describe('traffic shifting', () => {
  const all = allOf(gradual);
  const aliases = resourcesOf(gradual.template, 'AWS::Lambda::Alias');
  const groups = resourcesOf(gradual.template, 'AWS::CodeDeploy::DeploymentGroup');
  const names = namesIn(gradual);
  const shifted = names.filter((name) => !unversioned.has(name));
  const functionIds = new Set(shifted.map((name) => functionId(gradual, name)));
  const aliasOf = (name: FunctionName): [string, Resource] => {
    const id = functionId(gradual, name);
    const found = [...aliases].find(([, { Properties }]) => referred(Properties['FunctionName']).includes(id));
    assert.ok(found, name);
    return found;
  };

  it('gives each function that writes a version and the alias live', () => {
    assert.equal(aliases.size, shifted.length);
    assert.equal(resourcesOf(gradual.template, 'AWS::Lambda::Version').size, shifted.length);
    for (const name of shifted) assert.equal(aliasOf(name)[1].Properties['Name'], 'live');
    // Functions that move money or decide about it have one.
    for (const name of ['charge', 'transfer', 'withdrawals', 'transfers', 'authorizer'] as const) {
      assert.ok(shifted.includes(name), name);
    }
  });

  it('lets API, authorizer, queues, streams and schedules invoke aliases, and permits no more', () => {
    const invoked = {
      'AWS::ApiGateway::Method': 'Integration',
      'AWS::ApiGateway::Authorizer': 'AuthorizerUri',
      'AWS::Lambda::EventSourceMapping': 'FunctionName',
      'AWS::Lambda::Permission': 'FunctionName',
      'AWS::Events::Rule': 'Targets',
    };
    const seen = new Set<string>();
    for (const [id, { Type, Properties }] of all) {
      if (!(Type in invoked)) continue;
      const refs = referred(Properties[invoked[Type as keyof typeof invoked]]);
      assert.deepEqual(
        refs.filter((ref) => functionIds.has(ref)),
        [],
        `${id} invokes a function past its alias`,
      );
      for (const ref of refs) if (aliases.has(ref)) seen.add(ref);
    }
    assert.deepEqual([...seen].sort(), [...aliases.keys()].sort());
  });

  it('is rolled back by failures of the function, and by critical alarms that end by themselves', () => {
    const critical = [...resourcesOf(gradual.template, 'AWS::CloudWatch::Alarm')].filter(([, { Properties }]) =>
      String(Properties['AlarmDescription']).startsWith('critical'),
    );
    const passing = critical
      .filter(([, { Properties }]) => Properties['TreatMissingData'] !== 'ignore')
      .map(([id]) => id)
      .filter((id) => !/NearlyFull|HoldsOverdue|BatchesOpenTooLong|ScheduledLate|OrdersLate/.test(id));
    assert.ok(
      passing.length >= 8 && passing.length < 10,
      `CodeDeploy takes ten with that of the function: ${passing.join()}`,
    );
    assert.equal(groups.size, shifted.length);
    for (const name of shifted) {
      const { CodeDeployLambdaAliasUpdate: update } = aliasOf(name)[1].UpdatePolicy ?? {};
      const group = groups.get((update as { DeploymentGroupName: { Ref: string } }).DeploymentGroupName.Ref);
      assert.ok(group, name);
      const { DeploymentConfigName, AlarmConfiguration, AutoRollbackConfiguration } = group.Properties;
      assert.equal(DeploymentConfigName, 'CodeDeployDefault.LambdaCanary10Percent5Minutes');
      assert.deepEqual(AutoRollbackConfiguration, {
        Enabled: true,
        Events: ['DEPLOYMENT_FAILURE', 'DEPLOYMENT_STOP_ON_ALARM'],
      });
      const alarms = referred(AlarmConfiguration);
      const own = alarms.filter((id) => !passing.includes(id));
      assert.deepEqual(alarms.filter((id) => passing.includes(id)).sort(), [...passing].sort());
      assert.deepEqual(
        own.map((id) => referred(all.get(id)?.Properties['Dimensions'])),
        [[functionId(gradual, name)]],
      );
      assert.equal(all.get(own[0] ?? '')?.Properties['MetricName'], 'Errors');
    }
  });

  it('leaves alarms and dashboard on the figures of all versions', () => {
    const [, dashboard] = theOnly(gradual.template, 'AWS::CloudWatch::Dashboard');
    const watched = [dashboard, ...resourcesOf(gradual.template, 'AWS::CloudWatch::Alarm').values()];
    assert.deepEqual(
      watched.flatMap(({ Properties }) => referred(Properties)).filter((id) => aliases.has(id)),
      [],
    );
  });

  it('leaves room for approvals in a stack that pages of no origin use', () => {
    const count = allOf(
      synthesize({
        deployment: canary,
        people: { callbackUrls: ['https://desk.example/'] },
        provisioned: { commands: { least: 1, most: 10 }, reads: { least: 1, most: 10 } },
        backup: { deleteAfter: Duration.days(7) },
        fourEyes: { charge: { above: 1_000 }, resolve: true, unfreeze: true },
      }),
    ).size;
    assert.ok(count <= mostResources, `${count} resources`);
  });

  it('leaves room in a stack that has all other features', () => {
    const full = synthesize({
      deployment: canary,
      people: { callbackUrls: ['https://desk.example/'] },
      cors: { allowedOrigins: ['https://app.example'] },
      provisioned: { commands: { least: 1, most: 10 }, reads: { least: 1, most: 10 } },
      backup: { deleteAfter: Duration.days(7) },
    });
    const count = allOf(full).size;
    assert.ok(count <= mostResources, `${count} resources`);
  });
});
