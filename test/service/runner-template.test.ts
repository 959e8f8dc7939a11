import { Duration } from 'aws-cdk-lib';
import { CfnMethod } from 'aws-cdk-lib/aws-apigateway';
import { Stream } from 'aws-cdk-lib/aws-kinesis';
import { CfnFunction } from 'aws-cdk-lib/aws-lambda';
import { Queue } from 'aws-cdk-lib/aws-sqs';
import assert from 'node:assert/strict';
import { describe, test } from '@jest/globals';
import { startRunner } from '../../local/runner/runner.ts';
import { intervalOf } from '../../local/eventbridge/schedules.ts';
import { createResolver, readProperties, TemplateError } from '../../local/cloudformation/template.ts';
import type { Shape, Template } from '../../local/cloudformation/template.ts';
import { FixtureStack } from './runner-fixture/stack.ts';
import { synthesized } from './runner-fixture/synthesized.ts';

const template: Template = {
  Parameters: {
    Url: { Type: 'String' },
    Stage: { Type: 'String', Default: 'test' },
    Zones: { Type: 'CommaDelimitedList', Default: 'a, b' },
    Version: { Type: 'AWS::SSM::Parameter::Value<String>', Default: '/x' },
  },
  Mappings: { Sizes: { small: { memory: 128 } } },
  Conditions: {
    IsTest: { 'Fn::Equals': [{ Ref: 'Stage' }, 'test'] },
    IsLive: { 'Fn::Not': [{ Condition: 'IsTest' }] },
    Either: { 'Fn::Or': [{ Condition: 'IsLive' }, { Condition: 'IsTest' }] },
    Both: { 'Fn::And': [{ Condition: 'IsLive' }, { Condition: 'IsTest' }] },
  },
  Resources: { Jobs: { Type: 'AWS::SQS::Queue' }, Boss: { Type: 'AWS::IAM::Role' } },
};

function resolver(parameters: Record<string, string> = { Url: 'http://bank' }) {
  return createResolver({
    template,
    parameters,
    pseudo: { 'AWS::Region': 'us-east-1' },
    identify: (logicalId) =>
      logicalId === 'Jobs' ? { ref: 'http://queue', attributes: { Arn: 'arn:aws:sqs:us-east-1:0:jobs' } } : undefined,
  });
}
const resolve = (value: unknown) => resolver().resolve(value, 'Here');
const refuses = (run: () => unknown, message: RegExp) => {
  assert.throws(run, (error) => {
    assert.ok(error instanceof TemplateError);
    assert.match(error.message, message);
    return true;
  });
};

describe('intrinsic functions', () => {
  test('are resolved', () => {
    assert.equal(resolve({ Ref: 'Url' }), 'http://bank');
    assert.deepEqual(resolve({ Ref: 'Zones' }), ['a', 'b']);
    assert.equal(resolve({ Ref: 'Jobs' }), 'http://queue');
    assert.equal(resolve({ 'Fn::GetAtt': ['Jobs', 'Arn'] }), 'arn:aws:sqs:us-east-1:0:jobs');
    assert.equal(resolve({ 'Fn::GetAtt': 'Jobs.Arn' }), 'arn:aws:sqs:us-east-1:0:jobs');
    assert.equal(resolve({ 'Fn::Select': [5, { 'Fn::Split': [':', { 'Fn::GetAtt': ['Jobs', 'Arn'] }] }] }), 'jobs');
    assert.equal(resolve({ 'Fn::Join': ['-', ['x', { Ref: 'Stage' }, 3]] }), 'x-test-3');
    assert.equal(
      resolve({ 'Fn::Sub': '${AWS::Region}/${Jobs.Arn}/${!kept}' }),
      'us-east-1/arn:aws:sqs:us-east-1:0:jobs/${kept}',
    );
    assert.equal(resolve({ 'Fn::Sub': ['${A}${Stage}', { A: { Ref: 'Url' } }] }), 'http://banktest');
    assert.equal(resolve({ 'Fn::FindInMap': ['Sizes', 'small', 'memory'] }), 128);
    assert.deepEqual(resolve({ kept: [1, { Ref: 'AWS::NoValue' }], gone: { Ref: 'AWS::NoValue' } }), { kept: [1] });
  });

  test('conditions decide', () => {
    const chosen = (condition: string) => resolve({ 'Fn::If': [condition, 'yes', { Ref: 'AWS::NoValue' }] });
    assert.equal(chosen('IsTest'), 'yes');
    assert.equal(chosen('Either'), 'yes');
    assert.notEqual(chosen('IsLive'), 'yes');
    assert.notEqual(chosen('Both'), 'yes');
  });

  test('what cannot be resolved is named, with its place', () => {
    refuses(() => resolver({}).resolve({ a: { Ref: 'Url' } }, 'Function'), /Function\.a: parameter Url has no value/);
    refuses(() => resolver({ Uri: 'x' }), /no parameter Uri/);
    refuses(() => resolve({ Ref: 'Version' }), /AWS::SSM::Parameter::Value<String> is not supported/);
    refuses(() => resolve({ Ref: 'Stranger' }), /Here: refers to Stranger, which is not in the template/);
    refuses(
      () => resolve({ 'Fn::GetAtt': ['Boss', 'Arn'] }),
      /Boss \(AWS::IAM::Role\), which exists in the cloud only/,
    );
    refuses(() => resolve({ 'Fn::GetAtt': ['Jobs', 'Color'] }), /attribute Color of Jobs \(AWS::SQS::Queue\)/);
    refuses(() => resolve({ 'Fn::ImportValue': 'x' }), /Fn::ImportValue is not supported/);
    refuses(() => resolve({ 'Fn::Join': ['-', 'x'] }), /expected a list, got "x"/);
    refuses(() => resolve({ 'Fn::If': ['Unknown', 1, 2] }), /condition Unknown is not in the template/);
  });

  test('a shape lets through what it names and nothing else', () => {
    const shape: Shape = { Name: true, Role: 'cloud', Kind: { only: ['a'] }, List: [{ Id: true }] };
    const read = (value: unknown) => readProperties(shape, value, 'Thing', resolver());
    assert.deepEqual(read({ Name: { Ref: 'Stage' }, Role: { Ref: 'Stranger' }, Kind: 'a', List: [{ Id: 1 }] }), {
      Name: 'test',
      Kind: 'a',
      List: [{ Id: 1 }],
    });
    refuses(() => read({ Nam: 1 }), /^Thing: property Nam is not supported$/);
    refuses(() => read({ Kind: 'b' }), /^Thing\.Kind: "b" is not supported$/);
    refuses(() => read({ List: [{ Id: 1, Other: 2 }] }), /^Thing\.List\[0\]: property Other is not supported$/);
    refuses(() => read({ List: 'x' }), /^Thing\.List: expected a list/);
  });

  test('schedules', () => {
    assert.equal(intervalOf('rate(1 minute)', 'Rule'), 60_000);
    assert.equal(intervalOf('rate(2 hours)', 'Rule'), 7_200_000);
    refuses(() => intervalOf('cron(0 12 * * ? *)', 'Rule'), /Rule: schedule cron/);
  });
});

describe('a stack that would run differently here', () => {
  const boot = (change: (stack: FixtureStack) => void, parameters = {}) => {
    const synthesize = synthesized((app) => {
      change(new FixtureStack(app, 'Fixture'));
    });
    return startRunner({ synthesize, parameters }).then((runner) => runner.stop());
  };
  const first = <T>(stack: FixtureStack, isWanted: (construct: object) => construct is T & object): T => {
    const found = stack.node.findAll().find(isWanted);
    assert.ok(found);
    return found as T;
  };

  test('is refused: a type that is not known', async () => {
    await assert.rejects(
      boot((stack) => new Stream(stack, 'News')),
      /^TemplateError: News[0-9A-F]{8}: resources of type AWS::Kinesis::Stream are not supported$/,
    );
  });

  test('is refused: properties and values that are not known', async () => {
    await assert.rejects(
      boot((stack) => new Queue(stack, 'Ordered', { fifo: true })),
      /TemplateError: Ordered[0-9A-F]{8}: property (FifoQueue|QueueName) is not supported/,
    );
    await assert.rejects(
      boot((stack) => {
        first(stack, (each): each is CfnFunction => each instanceof CfnFunction).runtime = 'python3.13';
      }),
      /TemplateError: \w+\.Runtime: "python3.13" is not supported/,
    );
    await assert.rejects(
      boot((stack) => {
        const method = first(stack, (each): each is CfnMethod => each instanceof CfnMethod);
        method.apiKeyRequired = true;
      }),
      /TemplateError: \w+: property ApiKeyRequired is not supported/,
    );
  });

  test('is refused: a parameter that the template does not have', async () => {
    await assert.rejects(
      boot(() => undefined, { BankUrl: 'x' }),
      /TemplateError: the template has no parameter BankUrl/,
    );
  });

  test('is not refused: what differs in the cloud only', async () => {
    await boot((stack) => new Queue(stack, 'Encrypted', { enforceSSL: true, visibilityTimeout: Duration.minutes(3) }));
  });
});
