import { Stack, Token } from 'aws-cdk-lib';
import { TableEncryptionV2 } from 'aws-cdk-lib/aws-dynamodb';
import { PolicyStatement, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import type { IKey } from 'aws-cdk-lib/aws-kms';
import { BucketEncryption } from 'aws-cdk-lib/aws-s3';
import type { BucketProps } from 'aws-cdk-lib/aws-s3';
import { QueueEncryption } from 'aws-cdk-lib/aws-sqs';
import type { QueueProps } from 'aws-cdk-lib/aws-sqs';
import type { Construct } from 'constructs';
import { settingsOf } from './service-settings.ts';

/**
 * Returns the encryption of a table: with the key of the service, or the AWS managed one. CloudTrail records the use of
 * both. A key of one's own can be deleted, and the money with it.
 *
 * @throws Error for a key in a stack without a region, where the CDK cannot render the table
 */
export function tableEncryption(scope: Construct): TableEncryptionV2 {
  const { encryptionKey } = settingsOf(scope);
  if (encryptionKey === undefined) return TableEncryptionV2.awsManagedKey();
  const { region } = Stack.of(scope);
  if (Token.isUnresolved(region)) {
    throw new Error('encryptionKey needs a stack with a region: give env.region, received none');
  }
  return TableEncryptionV2.customerManagedKey(encryptionKey);
}

/** Returns the encryption of a queue: with the key of the service, or that of SQS. */
export function queueEncryption(scope: Construct): Pick<QueueProps, 'encryption' | 'encryptionMasterKey'> {
  const { encryptionKey } = settingsOf(scope);
  return encryptionKey
    ? { encryption: QueueEncryption.KMS, encryptionMasterKey: encryptionKey }
    : { encryption: QueueEncryption.SQS_MANAGED };
}

/** Returns the encryption of a bucket: with the key of the service, or that of S3. */
export function bucketEncryption(
  scope: Construct,
): Pick<BucketProps, 'encryption' | 'encryptionKey' | 'bucketKeyEnabled'> {
  const { encryptionKey } = settingsOf(scope);
  return encryptionKey
    ? { encryption: BucketEncryption.KMS, encryptionKey, bucketKeyEnabled: true }
    : { encryption: BucketEncryption.S3_MANAGED };
}

/** Returns the key of secrets and log groups; empty where the service has none. */
export function ownKey(scope: Construct): { readonly encryptionKey?: IKey } {
  const { encryptionKey } = settingsOf(scope);
  return encryptionKey ? { encryptionKey } : {};
}

/** The services through which functions use the key. */
const functionsUse = ['dynamodb', 'sqs', 'sns', 'secretsmanager'];

/**
 * Returns the statements that let a function use the key of its service through tables, queues, topics and secrets. The
 * function's other statements decide on which of these.
 */
export function keyStatements(scope: Construct): PolicyStatement[] {
  const { encryptionKey } = settingsOf(scope);
  if (!encryptionKey) return [];
  return [
    new PolicyStatement({
      actions: [
        ...['kms:Decrypt', 'kms:DescribeKey', 'kms:Encrypt', 'kms:GenerateDataKey'],
        ...['kms:GenerateDataKeyWithoutPlaintext', 'kms:ReEncryptFrom', 'kms:ReEncryptTo'],
      ],
      resources: [encryptionKey.keyArn],
      conditions: { StringEquals: { 'kms:ViaService': functionsUse.map((name) => endpointOf(scope, name)) } },
    }),
  ];
}

/** Returns the statement that lets Firehose encrypt the objects of a bucket with the key of the service. */
export function deliveryStatements(scope: Construct): PolicyStatement[] {
  const { encryptionKey } = settingsOf(scope);
  if (!encryptionKey) return [];
  return [
    new PolicyStatement({
      actions: ['kms:Decrypt', 'kms:GenerateDataKey'],
      resources: [encryptionKey.keyArn],
      conditions: { StringEquals: { 'kms:ViaService': endpointOf(scope, 's3') } },
    }),
  ];
}

/**
 * Lets CloudWatch Logs and EventBridge use the key, for log groups and queues of this account. Has no effect on a key of
 * another app: docs/deploy.md has the statements for its policy. They name no resource of the stack, on which the key
 * would depend.
 */
export function allowServices(scope: Construct, key: IKey): void {
  const { account } = Stack.of(scope);
  const logGroups = Stack.of(scope).formatArn({ service: 'logs', resource: '*' });
  key.addToResourcePolicy(
    new PolicyStatement({
      principals: [new ServicePrincipal(endpointOf(scope, 'logs'))],
      actions: ['kms:Encrypt', 'kms:Decrypt', 'kms:ReEncrypt*', 'kms:GenerateDataKey*', 'kms:Describe*'],
      resources: ['*'],
      conditions: { ArnLike: { 'kms:EncryptionContext:aws:logs:arn': logGroups } },
    }),
  );
  key.addToResourcePolicy(
    new PolicyStatement({
      principals: [new ServicePrincipal('events.amazonaws.com')],
      actions: ['kms:Decrypt', 'kms:GenerateDataKey'],
      resources: ['*'],
      conditions: { StringEquals: { 'aws:SourceAccount': account } },
    }),
  );
}

function endpointOf(scope: Construct, service: string): string {
  const { region, urlSuffix } = Stack.of(scope);
  return `${service}.${region}.${urlSuffix}`;
}
