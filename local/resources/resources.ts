/**
 * The resource types that the runner knows. A type in neither table is an error, as is a property that a type's shape
 * does not name: what runs here is what would be deployed.
 */
import type {
  AttributeDefinition,
  GlobalSecondaryIndex,
  KeySchemaElement,
  StreamViewType,
  TimeToLiveSpecification,
} from '@aws-sdk/client-dynamodb';
import { createHash } from 'node:crypto';
import { region } from '../cloudformation/account.ts';
import { readProperties, TemplateError } from '../cloudformation/template.ts';
import type { Identity, Resolver, Template } from '../cloudformation/template.ts';
import { ensureTable } from '../dynamodb/dynamodb.ts';
import type { TableSettings } from '../dynamodb/dynamodb.ts';
import type { GenerateSecretString } from '../secrets-manager/secrets.ts';
import { eventTypes } from './event-types.ts';
import { invokeTypes, mappingTypes } from './function-types.ts';
import { queueOf, resourceType } from './machine.ts';
import type { BootResource, Machine, Naming, ResourceType } from './machine.ts';
import { restApiTypes } from './rest-api.ts';
import { storageTypes } from './storage-types.ts';

/** Types that change nothing a caller or a function on this machine could notice. */
const cloudOnly = new Set([
  'AWS::ApiGateway::Account',
  'AWS::CDK::Metadata',
  'AWS::CloudWatch::Alarm',
  'AWS::CloudWatch::CompositeAlarm',
  'AWS::CloudWatch::Dashboard',
  'AWS::IAM::ManagedPolicy',
  'AWS::IAM::Policy',
  'AWS::IAM::Role',
  'AWS::Lambda::Permission',
  'AWS::Logs::LogGroup',
  'AWS::Logs::LogStream',
  'AWS::Logs::MetricFilter',
  'AWS::S3::BucketPolicy',
  'AWS::SNS::TopicPolicy',
  'AWS::SQS::QueuePolicy',
  'AWS::WAFv2::WebACL',
  'AWS::WAFv2::WebACLAssociation',
]);

/** What the runner reads of a table. */
export interface TableProperties {
  readonly AttributeDefinitions: AttributeDefinition[];
  readonly KeySchema: KeySchemaElement[];
  readonly GlobalSecondaryIndexes?: GlobalSecondaryIndex[];
  readonly StreamSpecification?: { readonly StreamViewType: StreamViewType };
  readonly TimeToLiveSpecification?: TimeToLiveSpecification;
}

interface FunctionProperties {
  readonly Code: { readonly S3Key: string };
  readonly Handler: string;
  readonly Environment?: { readonly Variables: Readonly<Record<string, string>> };
  readonly MemorySize?: number;
  readonly Timeout?: number;
  readonly ReservedConcurrentExecutions?: number;
  readonly DeadLetterConfig?: { readonly TargetArn: string };
}

interface QueueProperties {
  readonly DelaySeconds?: number;
  readonly MaximumMessageSize?: number;
  readonly MessageRetentionPeriod?: number;
  readonly ReceiveMessageWaitTimeSeconds?: number;
  readonly RedrivePolicy?: { readonly deadLetterTargetArn: string; readonly maxReceiveCount: number };
  readonly VisibilityTimeout?: number;
}

const identifyTable = (logicalId: string, { name, arn }: Naming): Identity => {
  const tableArn = arn('dynamodb', `table/${name(logicalId)}`);
  return { ref: name(logicalId), attributes: { Arn: tableArn, StreamArn: `${tableArn}/stream/local` } };
};

const tableShape = {
  AttributeDefinitions: true,
  BillingMode: { only: ['PAY_PER_REQUEST'] },
  GlobalSecondaryIndexes: [{ IndexName: true, KeySchema: true, Projection: true }],
  KeySchema: true,
  StreamSpecification: { StreamViewType: true },
  TimeToLiveSpecification: { AttributeName: true, Enabled: true },
  SSESpecification: 'cloud',
  Tags: 'cloud',
} as const;

/** The table that a template's resource describes, in the words of CreateTable. */
export function tableSettings(name: string, properties: TableProperties): TableSettings {
  const { AttributeDefinitions, KeySchema, GlobalSecondaryIndexes, StreamSpecification } = properties;
  return {
    create: {
      TableName: name,
      BillingMode: 'PAY_PER_REQUEST',
      AttributeDefinitions,
      KeySchema,
      GlobalSecondaryIndexes,
      StreamSpecification: StreamSpecification && { StreamEnabled: true, ...StreamSpecification },
    },
    timeToLive: properties.TimeToLiveSpecification,
  };
}

async function bootTable(machine: Machine, { identity, properties }: BootResource<TableProperties>): Promise<void> {
  await ensureTable(machine.engine.endpoint, region, tableSettings(identity.ref, properties));
}

/** How each type starts, in the order in which types are started. A new type of resource is a new entry here. */
const types: Record<string, ResourceType> = {
  'AWS::DynamoDB::GlobalTable': resourceType<TableProperties>({
    // Every table of this machine is in one region; what a replica says about itself is about its cloud.
    shape: { ...tableShape, Replicas: 'cloud' },
    identify: identifyTable,
    boot: bootTable,
  }),
  'AWS::DynamoDB::Table': resourceType<TableProperties>({
    shape: { ...tableShape, DeletionProtectionEnabled: 'cloud', PointInTimeRecoverySpecification: 'cloud' },
    identify: identifyTable,
    boot: bootTable,
  }),
  'AWS::SecretsManager::Secret': resourceType<{ GenerateSecretString?: GenerateSecretString; SecretString?: string }>({
    shape: { Description: 'cloud', GenerateSecretString: true, KmsKeyId: 'cloud', SecretString: true, Tags: 'cloud' },
    identify(logicalId, { name, arn }) {
      const suffix = createHash('sha256').update(logicalId).digest('hex').slice(0, 6);
      const secretArn = arn('secretsmanager', `secret:${name(logicalId)}-${suffix}`);
      return { ref: secretArn, attributes: { Id: secretArn } };
    },
    boot({ secrets }, { identity, properties }) {
      const name = identity.ref.slice(identity.ref.lastIndexOf(':') + 1, -7);
      const value = properties.SecretString ?? properties.GenerateSecretString ?? {};
      secrets.create({ name, arn: identity.ref, value });
    },
  }),
  'AWS::Cognito::UserPool': resourceType({
    // The runner's issuer stands for the pool: it has clients and scopes, and no people to sign in.
    shape: {
      AccountRecoverySetting: 'cloud',
      AdminCreateUserConfig: 'cloud',
      DeletionProtection: 'cloud',
      EmailVerificationMessage: 'cloud',
      EmailVerificationSubject: 'cloud',
      EnabledMfas: 'cloud',
      MfaConfiguration: 'cloud',
      Policies: 'cloud',
      SmsVerificationMessage: 'cloud',
      UsernameAttributes: 'cloud',
      AutoVerifiedAttributes: 'cloud',
      VerificationMessageTemplate: 'cloud',
    },
    identify(logicalId, { arn }) {
      const id = `${region}_${createHash('sha256').update(logicalId).digest('hex').slice(0, 9)}`;
      // As Cognito's own: the issuer of a data folder's tokens stays the same on another port.
      const providerName = `cognito-idp.${region}.amazonaws.com/${id}`;
      const attributes = { ProviderName: providerName, ProviderURL: `https://${providerName}`, UserPoolId: id };
      return { ref: id, attributes: { Arn: arn('cognito-idp', `userpool/${id}`), ...attributes } };
    },
    boot({ issuer }, { identity }) {
      issuer.serve(identity.ref, identity.attributes['ProviderURL'] ?? '');
    },
  }),
  'AWS::Cognito::UserPoolResourceServer': resourceType<{ Identifier: string; Scopes?: { ScopeName: string }[] }>({
    shape: {
      Identifier: true,
      Name: 'cloud',
      Scopes: [{ ScopeName: true, ScopeDescription: 'cloud' }],
      UserPoolId: 'cloud',
    },
    boot({ issuer }, { properties }) {
      issuer.allow(properties.Identifier, properties.Scopes?.map(({ ScopeName }) => ScopeName) ?? []);
    },
  }),
  'AWS::Cognito::UserPoolClient': resourceType({
    // Development tokens are given to any client that asks.
    shape: {
      AccessTokenValidity: 'cloud',
      AllowedOAuthFlows: 'cloud',
      AllowedOAuthFlowsUserPoolClient: 'cloud',
      AllowedOAuthScopes: 'cloud',
      CallbackURLs: 'cloud',
      ExplicitAuthFlows: 'cloud',
      GenerateSecret: 'cloud',
      LogoutURLs: 'cloud',
      PreventUserExistenceErrors: 'cloud',
      RefreshTokenValidity: 'cloud',
      SupportedIdentityProviders: 'cloud',
      TokenValidityUnits: 'cloud',
      UserPoolId: 'cloud',
    },
  }),
  'AWS::Cognito::UserPoolGroup': resourceType({
    shape: { Description: 'cloud', GroupName: 'cloud', UserPoolId: 'cloud' },
  }),
  'AWS::Cognito::UserPoolDomain': resourceType({ shape: { Domain: 'cloud', UserPoolId: 'cloud' } }),
  'AWS::SQS::Queue': resourceType<QueueProperties>({
    shape: {
      DelaySeconds: true,
      KmsMasterKeyId: 'cloud',
      MaximumMessageSize: true,
      MessageRetentionPeriod: true,
      ReceiveMessageWaitTimeSeconds: true,
      RedrivePolicy: { deadLetterTargetArn: true, maxReceiveCount: true },
      SqsManagedSseEnabled: 'cloud',
      Tags: 'cloud',
      VisibilityTimeout: true,
    },
    identify(logicalId, { name, arn, queueUrl }) {
      const queueName = name(logicalId).slice(-80);
      return { ref: queueUrl(queueName), attributes: { Arn: arn('sqs', queueName), QueueName: queueName } };
    },
    boot({ queues }, { identity, properties }) {
      const { RedrivePolicy: redrive } = properties;
      queues.create({
        name: identity.attributes['QueueName'] ?? '',
        arn: identity.attributes['Arn'] ?? '',
        visibilityTimeoutSeconds: properties.VisibilityTimeout ?? 30,
        delaySeconds: properties.DelaySeconds ?? 0,
        waitSeconds: properties.ReceiveMessageWaitTimeSeconds ?? 0,
        retentionSeconds: properties.MessageRetentionPeriod ?? 345_600,
        maximumBytes: properties.MaximumMessageSize ?? 1_048_576,
        redrive: redrive && { arn: redrive.deadLetterTargetArn, maxReceiveCount: redrive.maxReceiveCount },
      });
    },
  }),
  'AWS::Lambda::Function': resourceType<FunctionProperties>({
    shape: {
      Architectures: 'cloud',
      Code: { S3Bucket: 'cloud', S3Key: true },
      DeadLetterConfig: { TargetArn: true },
      Description: 'cloud',
      Environment: { Variables: true },
      Handler: true,
      LoggingConfig: 'cloud',
      MemorySize: true,
      ReservedConcurrentExecutions: true,
      Role: 'cloud',
      Runtime: { only: ['nodejs24.x'] },
      Tags: 'cloud',
      Timeout: true,
      TracingConfig: 'cloud',
    },
    identify: (logicalId, { name, arn }) => ({
      ref: name(logicalId).slice(-64),
      attributes: { Arn: arn('lambda', `function:${name(logicalId).slice(-64)}`) },
    }),
    boot(machine, { logicalId, identity, properties }) {
      const { MemorySize: memoryMb = 128, Timeout: timeoutSeconds = 3 } = properties;
      const made = machine.functions.define({
        name: identity.ref,
        arn: identity.attributes['Arn'] ?? '',
        folder: machine.asset(properties.Code.S3Key, logicalId),
        handler: properties.Handler,
        environment: {
          ...machine.baseEnvironment,
          AWS_LAMBDA_FUNCTION_NAME: identity.ref,
          AWS_LAMBDA_FUNCTION_MEMORY_SIZE: String(memoryMb),
          AWS_LAMBDA_FUNCTION_VERSION: '$LATEST',
          _HANDLER: properties.Handler,
          ...properties.Environment?.Variables,
        },
        memoryMb,
        timeoutSeconds,
        reservedConcurrency: properties.ReservedConcurrentExecutions,
      });
      const deadLettersArn = properties.DeadLetterConfig?.TargetArn;
      if (deadLettersArn === undefined) return;
      const deadLetters = queueOf(machine, deadLettersArn, logicalId);
      machine.asyncInvocations.configure(made, { deadLetters });
    },
  }),
  ...restApiTypes,
  ...storageTypes,
  ...invokeTypes,
  ...eventTypes,
  ...mappingTypes,
};

/** Who a resource is here; undefined for what only exists in the cloud. */
export function identifyResource(logicalId: string, template: Template, naming: Naming): Identity | undefined {
  return types[template.Resources[logicalId]?.Type ?? '']?.identify(logicalId, naming);
}

/** Throws TemplateError when the template has a resource of a type that the runner does not know. */
export function checkTypes(template: Template): void {
  for (const [logicalId, { Type }] of Object.entries(template.Resources)) {
    if (!types[Type] && !cloudOnly.has(Type)) {
      throw new TemplateError(`${logicalId}: resources of type ${Type} are not supported`);
    }
  }
}

/** Starts the template's resources, type by type; with `only`, those of one type. Throws TemplateError. */
export async function bootResources(
  machine: Machine,
  template: Template,
  resolver: Resolver,
  naming: Naming,
  chosen: (type: string) => boolean,
): Promise<void> {
  for (const [type, { shape, identify, boot }] of Object.entries(types)) {
    if (!chosen(type)) continue;
    for (const [logicalId, resource] of Object.entries(template.Resources)) {
      if (resource.Type !== type) continue;
      if (resource.Condition !== undefined && !resolver.condition(resource.Condition, logicalId)) continue;
      const properties = readProperties(shape, resource.Properties ?? {}, logicalId, resolver);
      await boot?.(machine, { logicalId, identity: identify(logicalId, naming), properties });
    }
  }
}
