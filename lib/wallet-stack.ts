import { CfnOutput, CfnParameter, Duration, Stack } from 'aws-cdk-lib';
import type { StackProps } from 'aws-cdk-lib';
import { Topic } from 'aws-cdk-lib/aws-sns';
import type { ITopic } from 'aws-cdk-lib/aws-sns';
import type { Construct } from 'constructs';
import { outputs, streamReaders, workKinds } from '../lambdas/contract.ts';
import { bankUrlPattern, longestNotFoundWindowSeconds } from './bank-props.ts';
import { checkNoNull } from './check-values.ts';
import { WalletService } from './wallet-service.ts';
import type { WalletServiceProps } from './wallet-service-props.ts';

/**
 * Properties of `WalletStack`: those of the service, with two differences. The bank's URL and its window are parameters
 * of the stack, and the topics for alarms are given by their ARNs.
 */
export interface WalletStackProps extends StackProps, Omit<WalletServiceProps, 'bank' | `${TopicName}Topic`> {
  /**
   * The bank's id and limits.
   *
   * @default - those of `BankProps`
   */
  readonly bank?: Omit<WalletServiceProps['bank'], 'url' | 'notFoundWindow'>;

  /**
   * The SNS topic for alarms of both severities. CloudWatch must be allowed to publish to it, and to use its key.
   *
   * @default - alarms only show in CloudWatch
   */
  readonly alarmTopicArn?: string;

  /**
   * The SNS topic for critical alarms, which must reach an operator at any hour.
   *
   * @default - `alarmTopicArn`
   */
  readonly criticalTopicArn?: string;

  /**
   * The SNS topic for warnings.
   *
   * @default - `alarmTopicArn`
   */
  readonly warningTopicArn?: string;
}

type TopicName = 'alarm' | 'critical' | 'warning';

/** The service as one stack, for teams that deploy it as it is. */
export class WalletStack extends Stack {
  readonly service: WalletService;

  constructor(scope: Construct, id: string, props: WalletStackProps = {}) {
    const { deletionProtection = true, terminationProtection = deletionProtection } = props;
    super(scope, id, { description: 'Wallet service', ...props, terminationProtection });
    checkNoNull('', props);
    const bankUrl = new CfnParameter(this, 'BankUrl', {
      type: 'String',
      description: "Base URL of the bank's API",
      allowedPattern: bankUrlPattern,
      constraintDescription: 'must be an https URL without credentials and query; http only to this machine',
    });
    const notFoundWindow = new CfnParameter(this, 'BankNotFoundWindowSeconds', {
      type: 'Number',
      description:
        'How long the bank may answer "not found" to a payment that it will make; too short a time pays twice',
      // No default: the figure is in the contract with the bank.
      minValue: 1,
      maxValue: longestNotFoundWindowSeconds,
      constraintDescription: `must be 1 to ${longestNotFoundWindowSeconds} seconds, from the contract with the bank`,
    });
    this.service = new WalletService(this, 'Service', {
      ...props,
      bank: {
        ...props.bank,
        url: bankUrl.valueAsString,
        notFoundWindow: Duration.seconds(notFoundWindow.valueAsNumber),
      },
      ...topicsOf(this, props),
    });

    const { url, table, entriesTable, cognito } = this.service;
    this.#nameQueues();
    new CfnOutput(this, outputs.apiUrl, { value: url, description: 'Base URL of the API' });
    new CfnOutput(this, 'BankRequestSecretArn', {
      value: this.service.bankRequestSecret.secretArn,
      description: 'Secret with the HMAC key that requests to the bank are signed with',
    });
    new CfnOutput(this, 'BankNotificationSecretArn', {
      value: this.service.bankNotificationSecret.secretArn,
      description: 'Secret with the HMAC key that the bank signs its notifications with',
    });
    new CfnOutput(this, outputs.table, { value: table.tableName, description: 'Table of wallets and transactions' });
    new CfnOutput(this, outputs.entriesTable, {
      value: entriesTable.tableName,
      description: "Table of wallets' ledgers",
    });
    this.#nameFollowers();
    if (cognito) {
      new CfnOutput(this, 'TokenEndpoint', {
        value: cognito.tokenEndpoint,
        description: 'URL at which a client exchanges its id and secret, or the code of a sign-in, for an access token',
      });
      new CfnOutput(this, 'ClientId', {
        value: cognito.machineClient.userPoolClientId,
        description: 'Client for a backend; its secret: aws cognito-idp describe-user-pool-client',
      });
      new CfnOutput(this, 'UserPoolId', { value: cognito.userPool.userPoolId, description: 'The user pool' });
      if (cognito.peopleClient) {
        new CfnOutput(this, 'PeopleClientId', {
          value: cognito.peopleClient.userPoolClientId,
          description: 'Client for people, without a secret: authorization code with PKCE',
        });
        new CfnOutput(this, 'AuthorizeEndpoint', {
          value: cognito.authorizeEndpoint,
          description: 'URL at which people sign in and get a code',
        });
      }
    }
  }

  /** Adds the outputs for consumers of events. */
  #nameFollowers(): void {
    const { eventBus, auditBucket, bankFilesBucket, statementFilesBucket, notificationTopic, webhookTable } =
      this.service;
    new CfnOutput(this, 'EventBusName', { value: eventBus.eventBusName, description: 'Bus of events' });
    if (auditBucket) {
      new CfnOutput(this, 'AuditBucketName', { value: auditBucket.bucketName, description: 'Bucket of events' });
    }
    if (bankFilesBucket) {
      new CfnOutput(this, 'BankFilesBucketName', {
        value: bankFilesBucket.bucketName,
        description: 'Bucket for files of the bank',
      });
    }
    if (statementFilesBucket) {
      new CfnOutput(this, 'StatementFilesBucketName', {
        value: statementFilesBucket.bucketName,
        description: 'Bucket for statements as files',
      });
    }
    if (webhookTable) {
      new CfnOutput(this, outputs.webhookTable, { value: webhookTable.tableName, description: 'Table of webhooks' });
    }
    if (notificationTopic) {
      new CfnOutput(this, 'NotificationTopicArn', {
        value: notificationTopic.topicArn,
        description: 'Topic of notifications for owners',
      });
    }
  }

  /** Adds the outputs that `npm run ops` reads: the queues, and the functions that it hands records back to. */
  #nameQueues(): void {
    const { work, setAside, functions } = this.service;
    for (const kind of workKinds) {
      const { queue, deadLetterQueue } = work[kind] ?? {};
      if (!queue || !deadLetterQueue) continue;
      new CfnOutput(this, outputs.queueUrl(kind), { value: queue.queueUrl, description: `Queue of each ${kind}` });
      new CfnOutput(this, outputs.deadLettersUrl(kind), {
        value: deadLetterQueue.queueUrl,
        description: `Messages of the ${kind} queue that its worker could not finish`,
      });
    }
    for (const reader of streamReaders) {
      new CfnOutput(this, outputs.setAsideUrl(reader), {
        value: setAside[reader].queueUrl,
        description: `Records that the ${reader} has set aside`,
      });
      new CfnOutput(this, outputs.readerFunctionName(reader), {
        value: functions[reader].functionName,
        description: `The ${reader}, for records that are handed back to it`,
      });
    }
  }
}

/** Returns the topics whose ARNs are given, as props of the service. */
function topicsOf(scope: Construct, props: WalletStackProps): Partial<Record<`${TopicName}Topic`, ITopic>> {
  const { alarmTopicArn, criticalTopicArn, warningTopicArn } = props;
  return {
    ...(alarmTopicArn !== undefined && { alarmTopic: Topic.fromTopicArn(scope, 'AlarmTopic', alarmTopicArn) }),
    ...(criticalTopicArn !== undefined && {
      criticalTopic: Topic.fromTopicArn(scope, 'CriticalTopic', criticalTopicArn),
    }),
    ...(warningTopicArn !== undefined && { warningTopic: Topic.fromTopicArn(scope, 'WarningTopic', warningTopicArn) }),
  };
}
