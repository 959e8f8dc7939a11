import { LambdaDeploymentConfig } from 'aws-cdk-lib/aws-codedeploy';
import { Topic } from 'aws-cdk-lib/aws-sns';
import { Duration, Stack } from 'aws-cdk-lib';
import { Template } from 'aws-cdk-lib/assertions';
import { AwsSolutionsChecks } from 'cdk-nag';
import assert from 'node:assert/strict';
import { describe, it } from '@jest/globals';
import { openBank } from '../../lambdas/bank/client.ts';
import { newApp } from '../../lib/app.ts';
import { WalletService } from '../../lib/wallet-service.ts';
import { resourcesOf, synthesize } from './synthesized.ts';

const { template, stack } = synthesize();

const people = { callbackUrls: ['https://desk.example/'] };

describe('the outputs', () => {
  it('name the values that operators and consumers of events need, as the service uses them', () => {
    const { api, table, entriesTable, eventBus, auditBucket, notificationTopic, cognito } = stack.service;
    const { work, setAside, functions } = stack.service;
    const values = Object.entries(template.findOutputs('*')).map(([name, { Value }]) => [name, Value as unknown]);
    assert.deepEqual(
      Object.fromEntries(values),
      stack.resolve({
        ApiUrl: api.url,
        BankRequestSecretArn: stack.service.bankRequestSecret.secretArn,
        BankNotificationSecretArn: stack.service.bankNotificationSecret.secretArn,
        TableName: table.tableName,
        EntriesTableName: entriesTable.tableName,
        WithdrawalQueueUrl: work.withdrawal.queue.queueUrl,
        WithdrawalDeadLettersUrl: work.withdrawal.deadLetterQueue.queueUrl,
        TransferQueueUrl: work.transfer.queue.queueUrl,
        TransferDeadLettersUrl: work.transfer.deadLetterQueue.queueUrl,
        NotificationQueueUrl: work.notification?.queue.queueUrl,
        NotificationDeadLettersUrl: work.notification?.deadLetterQueue.queueUrl,
        ScreeningQueueUrl: work.screening?.queue.queueUrl,
        ScreeningDeadLettersUrl: work.screening?.deadLetterQueue.queueUrl,
        RelaySetAsideUrl: setAside.relay.queueUrl,
        RelayFunctionName: functions.relay.functionName,
        ProjectorSetAsideUrl: setAside.projector.queueUrl,
        ProjectorFunctionName: functions.projector.functionName,
        EventBusName: eventBus.eventBusName,
        AuditBucketName: auditBucket?.bucketName,
        NotificationTopicArn: notificationTopic?.topicArn,
        TokenEndpoint: cognito?.tokenEndpoint,
        ClientId: cognito?.machineClient.userPoolClientId,
        UserPoolId: cognito?.userPool.userPoolId,
      }),
    );
  });

  it('name the address of the sign-in, where there is one', () => {
    const other = synthesize({ people });
    const { cognito } = other.stack.service;
    assert.ok(cognito?.peopleClient);
    const outputs = other.template.findOutputs('*');
    assert.deepEqual(
      ['PeopleClientId', 'AuthorizeEndpoint'].map((name) => outputs[name]?.['Value'] as unknown),
      other.stack.resolve([cognito.peopleClient.userPoolClientId, cognito.authorizeEndpoint]),
    );
    assert.match(JSON.stringify(outputs['AuthorizeEndpoint']), /\/oauth2\/authorize"/);
  });
});

describe('the rules of AWS Solutions', () => {
  it('are kept, or suppressed with a reason next to their resource', () => {
    const tokens = { issuer: 'https://issuer.example', audience: 'a' };
    const deployment = LambdaDeploymentConfig.CANARY_10PERCENT_5MINUTES;
    const optional = synthesize({ deployment, backup: {} }).stack;
    const files = synthesize({ bankFiles: {} }).stack;
    for (const root of [stack, synthesize({ tokens }).stack, synthesize({ people }).stack, optional, files]) {
      assert.deepEqual(new AwsSolutionsChecks(root).validateScope(root).violations, []);
    }
  });

  it('are really checked', () => {
    const bare = new Stack(newApp({ builtinCloudFormationValidation: false }), 'Bare');
    new Topic(bare, 'Topic');
    assert.equal(new AwsSolutionsChecks(bare).validateScope(bare).success, false);
  });
});

describe('the sweeper', () => {
  it('runs every minute, and ends before the next minute', () => {
    const { functionArn } = stack.service.functions.sweeper;
    const rules = [...resourcesOf(template, 'AWS::Events::Rule').values()];
    const rule = rules.find(({ Properties }) => Properties['ScheduleExpression'] === 'rate(1 minute)');
    assert.ok(rule);
    assert.equal(rule.Properties['State'], 'ENABLED');
    const targets = rule.Properties['Targets'] as { Arn: unknown }[];
    assert.deepEqual(
      targets.map(({ Arn }) => Arn),
      [stack.resolve(functionArn)],
    );
    template.hasResourceProperties('AWS::Lambda::Function', {
      Description: 'Wallet service: sweeper',
      Timeout: 50,
    });
  });
});

describe('the window of the bank', () => {
  it('is a parameter without a default, of a second to a day', () => {
    const { BankNotFoundWindowSeconds } = template.findParameters('BankNotFoundWindowSeconds') as Record<
      string,
      Record<string, unknown>
    >;
    const { Type, Default, MinValue, MaxValue } = BankNotFoundWindowSeconds ?? {};
    assert.deepEqual([Type, Default, MinValue, MaxValue], ['Number', undefined, 1, 86_400]);
  });

  it('is checked at synthesis when its value is known, and so is the id of the bank', () => {
    const embed = (bank: object) => {
      const stack = new Stack(newApp({ builtinCloudFormationValidation: false }), 'Embedding');
      const notFoundWindow = Duration.seconds(30);
      return new WalletService(stack, 'Wallets', { bank: { url: 'https://bank.example', notFoundWindow, ...bank } });
    };
    const { functions } = embed({ notFoundWindow: Duration.minutes(15), id: 'bank-1' });
    const embedded = Template.fromStack(Stack.of(functions.withdrawals));
    const worker = [...resourcesOf(embedded, 'AWS::Lambda::Function').values()].find(
      ({ Properties }) => Properties['Description'] === 'Wallet service: withdrawals',
    );
    const { Variables } = worker?.Properties['Environment'] as { Variables: Record<string, unknown> };
    assert.deepEqual([Variables['BANK_NOT_FOUND_WINDOW_SECONDS'], Variables['BANK_ID']], ['900', 'bank-1']);
    for (const [window, seconds] of [
      [Duration.seconds(0), '0'],
      [Duration.millis(1_500), '1.5'],
      [Duration.days(2), '172800'],
    ] as const) {
      assert.throws(() => embed({ notFoundWindow: window }), {
        message: `bank.notFoundWindow must be whole seconds, from 1 second to 1 day, received ${seconds} seconds`,
      });
    }
    for (const id of ['', 'a b', 'ä', 'x'.repeat(65)]) {
      assert.throws(() => embed({ id }), {
        message: `bank.id must be 1 to 64 printable characters without spaces, received "${id}"`,
      });
    }
  });
});

describe('the parameter', () => {
  it('takes the URLs that the bank client takes, and has no default, so that no payment leaves by mistake', () => {
    const { BankUrl } = template.findParameters('BankUrl') as {
      BankUrl: { AllowedPattern: string; Default?: string; Description: string };
    };
    assert.equal(BankUrl.Default, undefined);
    const pattern = new RegExp(`^(?:${BankUrl.AllowedPattern})$`);
    const open = (url: string) => openBank({ url, keys: () => Promise.resolve(['']) });
    for (const good of [
      'https://bank.example',
      'https://bank.example:8443/v1/@wallets',
      'http://localhost',
      'http://127.0.0.1:4100/v1',
      'http://[::1]:4100/',
    ]) {
      assert.match(good, pattern);
      assert.doesNotThrow(() => open(good));
    }
    for (const bad of [
      '',
      'bank.example',
      'ftp://bank.example',
      'http://bank.example',
      'http://localhost.example',
      'http://127.0.0.1.example',
      'https://me:secret@bank.example',
      'https://bank.example/?q=1',
      'https://a b',
    ]) {
      assert.doesNotMatch(bad, pattern);
      assert.throws(() => open(bad), bad);
    }
  });
});
