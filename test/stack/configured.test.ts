/** A service with the props of a team that has its own network, keys and rules: all in one template. */
import { Duration, Stack } from 'aws-cdk-lib';
import { Match, Template } from 'aws-cdk-lib/assertions';
import { Certificate } from 'aws-cdk-lib/aws-certificatemanager';
import { SecurityGroup, Vpc } from 'aws-cdk-lib/aws-ec2';
import { Key } from 'aws-cdk-lib/aws-kms';
import { RetentionDays } from 'aws-cdk-lib/aws-logs';
import { HostedZone } from 'aws-cdk-lib/aws-route53';
import { Secret } from 'aws-cdk-lib/aws-secretsmanager';
import { Topic } from 'aws-cdk-lib/aws-sns';
import { AwsSolutionsChecks } from 'cdk-nag';
import assert from 'node:assert/strict';
import { describe, it } from '@jest/globals';
import { newApp } from '../../lib/app.ts';
import { WalletService } from '../../lib/wallet-service.ts';
import { resourcesOf, roleOf, statementsOf, synthesize, theOnly } from './synthesized.ts';

const [account, region] = ['111122223333', 'eu-central-1'];
const stack = new Stack(newApp({ builtinCloudFormationValidation: false }), 'Team', { env: { account, region } });
const vpc = Vpc.fromVpcAttributes(stack, 'Vpc', {
  vpcId: 'vpc-1',
  availabilityZones: ['a', 'b'],
  privateSubnetIds: ['subnet-a', 'subnet-b'],
  privateSubnetRouteTableIds: ['route-a', 'route-b'],
});
const securityGroup = SecurityGroup.fromSecurityGroupId(stack, 'Group', 'sg-1');
const bankKey = `arn:aws:kms:${region}:${account}:key/of-the-bank`;
const requestSecret = Secret.fromSecretAttributes(stack, 'Request', {
  secretCompleteArn: `arn:aws:secretsmanager:${region}:${account}:secret:request-AbCdEf`,
  encryptionKey: Key.fromKeyArn(stack, 'BankKey', bankKey),
});
const encryptionKey = new Key(stack, 'Key', { enableKeyRotation: true });
const warningTopic = new Topic(stack, 'Warnings', { enforceSSL: true });
const service = new WalletService(stack, 'Wallets', {
  bank: {
    url: 'https://bank.example',
    notFoundWindow: Duration.seconds(30),
    requestSecret,
    notificationSecret: Secret.fromSecretNameV2(stack, 'Notifications', 'bank/notifications'),
    network: { vpc, securityGroups: [securityGroup] },
  },
  domain: {
    name: 'wallets.example.com',
    certificate: Certificate.fromCertificateArn(stack, 'Cert', `arn:aws:acm:${region}:${account}:certificate/1`),
    basePath: 'v1',
    hostedZone: HostedZone.fromHostedZoneAttributes(stack, 'Zone', { hostedZoneId: 'Z1', zoneName: 'example.com' }),
    disableDefaultEndpoint: true,
  },
  encryptionKey,
  logLevel: 'WARN',
  logRetention: RetentionDays.ONE_YEAR,
  warmThroughput: { commands: 1_000, reads: 20_000 },
  monthlyBudget: { dollars: 200, emails: ['finance@example.com'] },
  warningTopic,
});
const template = Template.fromStack(stack);
const plain = synthesize().template;

type Json = Record<string, unknown>;

/** Returns the functions of the service by their names, without those of the CDK. */
function functionsOf(each: Template): Map<string, Json> {
  const named = [...resourcesOf(each, 'AWS::Lambda::Function').values()].map(
    ({ Properties }) =>
      [/^Wallet service: (.+)$/.exec(String(Properties['Description']))?.[1] ?? '', Properties] as const,
  );
  return new Map(named.filter(([name]) => name !== ''));
}

function variablesOf(properties: Json | undefined): Json {
  return (properties?.['Environment'] as { Variables: Json }).Variables;
}

/** Returns a value as JSON, with the names of services as they are outside of China. */
function textOf(value: unknown): string {
  const suffixed = /\{"Fn::Join":\["",\["([\w.-]+)\.",\{"Ref":"AWS::URLSuffix"\}\]\]\}/g;
  return JSON.stringify(value).replaceAll(suffixed, '"$1.amazonaws.com"');
}

/** Returns the statements of a function's role, as JSON. */
function permissionsOf(name: string): string[] {
  return statementsOf(template, roleOf(functionsOf(template).get(name)!)).map(textOf);
}

const callingBank = ['integrity-job', 'withdrawals'];
const [keyId] = theOnly(template, 'AWS::KMS::Key');
const ofKey = { 'Fn::GetAtt': [keyId, 'Arn'] };

describe('the network of the bank', () => {
  it('has the functions that call the bank, and no other', () => {
    const placed = [...functionsOf(template)].filter(([, properties]) => 'VpcConfig' in properties);
    assert.deepEqual(placed.map(([name]) => name).sort(), callingBank);
    for (const [, { VpcConfig }] of placed) {
      assert.deepEqual(VpcConfig, { SecurityGroupIds: ['sg-1'], SubnetIds: ['subnet-a', 'subnet-b'] });
    }
    const calling = [...functionsOf(template)].filter(([, properties]) => 'BANK_URL' in variablesOf(properties));
    assert.deepEqual(calling.map(([name]) => name).sort(), callingBank);
  });

  it('lets Lambda make interfaces with their roles, and not their code', () => {
    for (const name of functionsOf(template).keys()) {
      const about = permissionsOf(name).filter((text) => text.includes('ec2:CreateNetworkInterface'));
      assert.equal(about.length, callingBank.includes(name) ? 2 : 0, name);
      const denied = about.filter((text) => text.includes('"Effect":"Deny"'));
      for (const text of denied) assert.ok(text.includes('"Null":{"lambda:SourceFunctionArn":"false"}'));
      assert.equal(denied.length, about.length / 2);
    }
  });
});

describe('given secrets of the bank', () => {
  it('take the place of the own ones', () => {
    const { secretArn: request } = service.bankRequestSecret;
    assert.deepEqual(variablesOf(functionsOf(template).get('withdrawals'))['BANK_REQUEST_SECRET_ARN'], request);
    const secrets = [...resourcesOf(template, 'AWS::SecretsManager::Secret').values()];
    assert.deepEqual(
      secrets.map(({ Properties }) => Properties['Description']),
      ['Key of the fingerprints that stand for bank accounts in events'],
    );
  });

  it('can be read by the functions that need them, with the key that a secret has of its own', () => {
    for (const name of functionsOf(template).keys()) {
      const statements = permissionsOf(name);
      const reads = (text: string) => statements.some((each) => each.includes(text));
      assert.equal(reads('secret:request-AbCdEf'), callingBank.includes(name), name);
      assert.equal(reads(bankKey), callingBank.includes(name), name);
      assert.equal(reads('secret:bank/notifications-??????'), name === 'bank-notifications', name);
    }
  });
});

describe('the domain', () => {
  it('serves the stage below its path by TLS 1.2 and later, in place of the own address', () => {
    template.hasResourceProperties('AWS::ApiGateway::DomainName', {
      DomainName: 'wallets.example.com',
      SecurityPolicy: 'TLS_1_2',
      EndpointConfiguration: { Types: ['REGIONAL'] },
    });
    const [stageId] = theOnly(template, 'AWS::ApiGateway::Stage');
    template.hasResourceProperties('AWS::ApiGateway::BasePathMapping', { BasePath: 'v1', Stage: { Ref: stageId } });
    template.hasResourceProperties('AWS::ApiGateway::RestApi', { DisableExecuteApiEndpoint: true });
    assert.equal(service.url, 'https://wallets.example.com/v1/');
  });

  it('has records in its zone', () => {
    const records = [...resourcesOf(template, 'AWS::Route53::RecordSet').values()].map(({ Properties }) => Properties);
    assert.deepEqual(records.map(({ Name, Type }) => [Name, Type]).sort(), [
      ['wallets.example.com.', 'A'],
      ['wallets.example.com.', 'AAAA'],
    ]);
  });
});

describe('the key', () => {
  it('encrypts every table, queue, topic, secret, log and bucket of the service', () => {
    const tables = [...resourcesOf(template, 'AWS::DynamoDB::GlobalTable').values()];
    assert.equal(tables.length, 4);
    for (const { Properties } of tables) {
      assert.deepEqual((Properties['Replicas'] as Json[])[0]?.['SSESpecification'], { KMSMasterKeyId: ofKey });
    }
    for (const [type, property] of [
      ['AWS::SQS::Queue', 'KmsMasterKeyId'],
      ['AWS::Logs::LogGroup', 'KmsKeyId'],
      ['AWS::SecretsManager::Secret', 'KmsKeyId'],
    ] as const) {
      const resources = resourcesOf(template, type);
      assert.ok(resources.size > 0, type);
      for (const [id, { Properties }] of resources) assert.deepEqual(Properties[property], ofKey, id);
    }
    template.hasResourceProperties('AWS::SNS::Topic', {
      DisplayName: 'Wallet service: notifications',
      KmsMasterKeyId: ofKey,
    });
    template.hasResourceProperties('AWS::S3::Bucket', {
      BucketEncryption: {
        ServerSideEncryptionConfiguration: [
          { BucketKeyEnabled: true, ServerSideEncryptionByDefault: { KMSMasterKeyID: ofKey, SSEAlgorithm: 'aws:kms' } },
        ],
      },
    });
  });

  it('can be used by each function through the services that encrypt with it, and by Firehose for its objects', () => {
    const through = (names: readonly string[]) => names.map((name) => `${name}.${region}.amazonaws.com`);
    for (const name of functionsOf(template).keys()) {
      const own = permissionsOf(name).filter((text) => text.includes('kms:ViaService'));
      assert.equal(own.length, 1, name);
      const { Condition, Resource } = JSON.parse(own[0] ?? '{}') as Json;
      assert.deepEqual(Resource, ofKey);
      assert.deepEqual(Condition, {
        StringEquals: { 'kms:ViaService': through(['dynamodb', 'sqs', 'sns', 'secretsmanager']) },
      });
    }
    const policies = [...resourcesOf(template, 'AWS::IAM::Policy').values()].map(textOf);
    const ofObjects = `{"StringEquals":{"kms:ViaService":"${through(['s3']).join('')}"}}`;
    assert.equal(policies.filter((text) => text.includes(ofObjects)).length, 1);
  });

  it('lets CloudWatch Logs and EventBridge use it, by a policy that names no resource of the stack', () => {
    const [, { Properties }] = theOnly(template, 'AWS::KMS::Key');
    const policy = textOf(Properties['KeyPolicy']);
    assert.ok(policy.includes(`{"Service":"logs.${region}.amazonaws.com"}`));
    // The CDK lets EventBridge in for the targets of rules, and not for the dead letters of the audit.
    const { Statement } = JSON.parse(policy) as { Statement: Json[] };
    const ofEvents = Statement.filter(({ Principal }) => textOf(Principal).includes('events.amazonaws.com'));
    const own = ofEvents.filter(({ Action }) => textOf(Action) === '["kms:Decrypt","kms:GenerateDataKey"]');
    assert.deepEqual(
      own.map(({ Condition }) => Condition),
      [{ StringEquals: { 'aws:SourceAccount': account } }],
    );
    assert.ok(!policy.includes('Ref') && !policy.includes('Fn::GetAtt'), policy);
  });
});

describe('logs', () => {
  it('are kept for the given time, and written from the given level on', () => {
    const groups = [...resourcesOf(template, 'AWS::Logs::LogGroup').values()];
    assert.equal(groups.length, resourcesOf(plain, 'AWS::Logs::LogGroup').size);
    for (const { Properties } of groups) assert.equal(Properties['RetentionInDays'], 365);
    for (const [name, properties] of functionsOf(template)) {
      assert.equal(variablesOf(properties)['POWERTOOLS_LOG_LEVEL'], 'WARN', name);
    }
  });

  it('by functions are not filtered by Lambda, which would drop the metrics, too', () => {
    for (const [name, { LoggingConfig }] of functionsOf(template)) {
      assert.ok(!('ApplicationLogLevel' in (LoggingConfig as object)), name);
    }
  });
});

describe('warm throughput', () => {
  it('fits the load of each table and index, and is never below the one of a new table', () => {
    const warm = (readUnitsPerSecond: number, writeUnitsPerSecond: number) => ({
      ReadUnitsPerSecond: readUnitsPerSecond,
      WriteUnitsPerSecond: writeUnitsPerSecond,
    });
    const index = (IndexName: string, WarmThroughput: object) => Match.objectLike({ IndexName, WarmThroughput });
    template.hasResourceProperties('AWS::DynamoDB::GlobalTable', {
      WarmThroughput: warm(22_000, 11_000),
      GlobalSecondaryIndexes: [
        index('byWallet', warm(12_000, 4_000)),
        index('byCounterparty', warm(12_000, 4_000)),
        index('due', warm(12_000, 4_000)),
        index('byReference', warm(12_000, 4_000)),
      ],
    });
    const tables = [...resourcesOf(template, 'AWS::DynamoDB::GlobalTable').values()];
    assert.deepEqual(tables.filter(({ Properties }) => 'WarmThroughput' in Properties).length, 4);
  });
});

describe('the budget', () => {
  it('counts what has the tag of the service, and warns by topic and e-mail at 80 % spent and 100 % expected', () => {
    const [, { Properties }] = theOnly(template, 'AWS::Budgets::Budget');
    const { Budget, NotificationsWithSubscribers } = Properties as {
      Budget: Json;
      NotificationsWithSubscribers: { Notification: Json; Subscribers: Json[] }[];
    };
    assert.deepEqual(Budget, {
      BudgetName: `Team-Wallets-${region}`,
      BudgetType: 'COST',
      TimeUnit: 'MONTHLY',
      BudgetLimit: { Amount: 200, Unit: 'USD' },
      CostFilters: { TagKeyValue: ['user:wallet-service$Team-Wallets'] },
    });
    const warnings = NotificationsWithSubscribers.map(({ Notification }) => Notification);
    assert.deepEqual(
      warnings.map(({ NotificationType, Threshold, ThresholdType }) => [NotificationType, Threshold, ThresholdType]),
      [
        ['ACTUAL', 80, 'PERCENTAGE'],
        ['FORECASTED', 100, 'PERCENTAGE'],
      ],
    );
    for (const { Subscribers } of NotificationsWithSubscribers) {
      assert.deepEqual(Subscribers, [
        { SubscriptionType: 'SNS', Address: stack.resolve(warningTopic.topicArn) as unknown },
        { SubscriptionType: 'EMAIL', Address: 'finance@example.com' },
      ]);
    }
  });

  it('may publish to the topic, and so may the alarms, whose right the first statement would take away', () => {
    const { Ref: topicId } = stack.resolve(warningTopic.topicArn) as { Ref: string };
    const policy = [...resourcesOf(template, 'AWS::SNS::TopicPolicy').values()].find(({ Properties }) =>
      JSON.stringify(Properties['Topics']).includes(topicId),
    );
    const statements = (policy?.Properties['PolicyDocument'] as { Statement: Json[] }).Statement;
    const publishing = statements.find(({ Effect, Action }) => Effect === 'Allow' && Action === 'sns:Publish');
    assert.deepEqual(publishing?.['Principal'], {
      Service: ['budgets.amazonaws.com', 'cloudwatch.amazonaws.com'],
    });
    assert.deepEqual(publishing['Condition'], { StringEquals: { 'aws:SourceAccount': account } });
  });

  it('finds its tag on everything that costs', () => {
    const tagged = JSON.stringify({ Key: 'wallet-service', Value: 'Team-Wallets' });
    for (const type of [
      'AWS::Lambda::Function',
      'AWS::DynamoDB::GlobalTable',
      'AWS::SQS::Queue',
      'AWS::Logs::LogGroup',
      'AWS::ApiGateway::RestApi',
      'AWS::ApiGateway::Stage',
      'AWS::S3::Bucket',
      'AWS::KinesisFirehose::DeliveryStream',
      'AWS::SecretsManager::Secret',
      'AWS::WAFv2::WebACL',
      'AWS::CloudWatch::Alarm',
      'AWS::Events::EventBus',
    ]) {
      const ofService = [...resourcesOf(template, type)].filter(([id]) => id.startsWith('Wallets'));
      assert.ok(ofService.length > 0, type);
      for (const [id, { Properties }] of ofService) {
        assert.ok(JSON.stringify(Properties).includes(tagged), `${type} ${id}`);
      }
    }
    assert.ok(JSON.stringify(theOnly(template, 'AWS::Cognito::UserPool')).includes('"wallet-service":"Team-Wallets"'));
  });
});

describe('the rules of AWS Solutions', () => {
  it('are kept with all of these props', () => {
    assert.deepEqual(new AwsSolutionsChecks(service).validateScope(service).violations, []);
  });
});

describe('a service with none of these props', () => {
  it('has no trace of them in its template', () => {
    const text = JSON.stringify(plain.toJSON());
    for (const trace of [
      'POWERTOOLS_LOG_LEVEL',
      'VpcConfig',
      '"KmsKeyId"',
      'KMSMasterKeyId',
      'kms:ViaService',
      'AWS::ApiGateway::DomainName',
      'DisableExecuteApiEndpoint',
      'WarmThroughput',
      'AWS::Budgets::Budget',
      'wallet-service',
      'ec2:',
    ]) {
      assert.ok(!text.includes(trace), trace);
    }
  });
});
