/** Two services of one app, each in a nested stack: one stack has room for 500 resources, and a service for more than half. */
import { CfnOutput, Duration, NestedStack, Stack } from 'aws-cdk-lib';
import { Template } from 'aws-cdk-lib/assertions';
import assert from 'node:assert/strict';
import { describe, it } from '@jest/globals';
import { newApp } from '../../lib/app.ts';
import { WalletService } from '../../lib/wallet-service.ts';
import { resourcesOf } from './synthesized.ts';

const parent = new Stack(newApp({ builtinCloudFormationValidation: false }), 'Teams');
const names = ['Blue', 'Green'] as const;
const nested = names.map((name) => {
  const stack = new NestedStack(parent, name);
  const { api, table, entriesTable, eventBus, cognito, work } = new WalletService(stack, 'Service', {
    bank: { url: 'https://bank.example', notFoundWindow: Duration.seconds(30) },
  });
  const outputs = {
    ApiUrl: api.url,
    TableName: table.tableName,
    EntriesTableName: entriesTable.tableName,
    EventBusName: eventBus.eventBusName,
    TokenEndpoint: cognito?.tokenEndpoint ?? '',
    WithdrawalQueueUrl: work.withdrawal.queue.queueUrl,
  };
  for (const [id, value] of Object.entries(outputs)) new CfnOutput(parent, `${name}${id}`, { value });
  return stack;
});
const templates = nested.map((stack) => Template.fromStack(stack));
const [blue, green] = templates.map((template) => template.toJSON() as Json) as [Json, Json];

interface Json {
  readonly Resources: Readonly<Record<string, { readonly Type: string; readonly Properties: Record<string, unknown> }>>;
  readonly Outputs: Readonly<Record<string, unknown>>;
}

/** Returns the names that a template gives to resources, of which an account has room for one each. */
function chosenNames({ Resources }: Json): string[] {
  const named = ['AlarmName', 'DashboardName', 'Name', 'Domain', 'QueueName', 'TableName', 'FunctionName', 'TopicName'];
  return Object.values(Resources)
    .filter(({ Type }) =>
      /CloudWatch|RestApi|QueryDefinition|UserPoolDomain|SQS|DynamoDB|Lambda::Function|SNS/.test(Type),
    )
    .flatMap(({ Properties }) =>
      named.flatMap((name) => (name in Properties ? [JSON.stringify(Properties[name])] : [])),
    );
}

describe('two services in nested stacks', () => {
  it('fit into one stack around them', () => {
    for (const { Resources } of [blue, green]) {
      const count = Object.keys(Resources).length;
      assert.ok(count < 500, `${count} resources`);
    }
    assert.equal(resourcesOf(Template.fromStack(parent), 'AWS::CloudFormation::Stack').size, 2);
  });

  it('have outputs that the stack around them reads', () => {
    const outputs = Object.entries(Template.fromStack(parent).findOutputs('*'));
    assert.equal(outputs.length, 12);
    for (const [id, { Value }] of outputs) {
      const exported = [...JSON.stringify(Value).matchAll(/"Outputs\.(\w+)"/g)].map(([, name = '']) => name);
      assert.ok(exported.length > 0, `${id} is ${JSON.stringify(Value)}`);
      const { Outputs } = id.startsWith('Blue') ? blue : green;
      for (const name of exported) assert.ok(name in Outputs, `${id} reads ${name}`);
    }
  });

  it('share no name: alarms, dashboards, queries and APIs are two', () => {
    const [ofBlue, ofGreen] = [blue, green].map(chosenNames) as [string[], string[]];
    assert.ok(ofBlue.length > 50, String(ofBlue.length));
    assert.deepEqual(
      ofBlue.filter((name) => ofGreen.includes(name)),
      [],
    );
  });

  it('have names that are known before the deployment, and the stack around them in front', () => {
    for (const [index, name] of names.entries()) {
      const dashboards = [...resourcesOf(templates[index]!, 'AWS::CloudWatch::Dashboard').values()];
      assert.deepEqual(
        dashboards.map(({ Properties }) => Properties['DashboardName']),
        [`Teams-${name}-Service`],
      );
    }
  });
});
