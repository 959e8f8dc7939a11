import { Duration } from 'aws-cdk-lib';
import { AttributeType } from 'aws-cdk-lib/aws-dynamodb';
import { SqsQueue } from 'aws-cdk-lib/aws-events-targets';
import { Alias } from 'aws-cdk-lib/aws-kms';
import { Topic } from 'aws-cdk-lib/aws-sns';
import { Construct } from 'constructs';
import { notifiedEvents, sentItems } from '../lambdas/contract.ts';
import type { AddAlarm } from './alarms.ts';
import type { TableCapacity } from './capacity.ts';
import type { Shares } from './concurrency.ts';
import { ownKey } from './encryption.ts';
import type { Events } from './events.ts';
import { ExpiringTable } from './expiring-table.ts';
import type { LedgerTable } from './ledger-table.ts';
import type { RateLimits } from './rate-limits.ts';
import { WalletFunction } from './wallet-function.ts';
import { WorkQueue } from './work-queue.ts';

/** Properties of `Notifications`. */
export interface NotificationsProps {
  readonly ledger: LedgerTable;
  readonly events: Events;
  readonly rateLimits: Required<RateLimits>;
  readonly capacity: TableCapacity;
  /** Most batches that are handled at the same time: 2 to 1000. */
  readonly concurrency: number;
  readonly shares: Shares;
  readonly addAlarm: AddAlarm;
}

/** The notifications of owners about changes of their wallets, on the channels of their preferences. */
export class Notifications extends Construct {
  /** Notifications with channel, owner and event as attributes. Subscribe senders of e-mail, SMS and push. */
  readonly topic: Topic;
  readonly work: WorkQueue;
  /** The notifications that were sent. */
  readonly sent: ExpiringTable<keyof typeof sentItems>;
  readonly functions;
  readonly notifier: WalletFunction<'notifier'>;

  constructor(scope: Construct, id: string, props: NotificationsProps) {
    super(scope, id);
    const { ledger, events, rateLimits, capacity, concurrency, shares, addAlarm } = props;
    this.topic = new Topic(this, 'Topic', {
      displayName: 'Wallet service: notifications',
      masterKey: ownKey(this).encryptionKey ?? Alias.fromAliasName(this, 'TopicKey', 'alias/aws/sns'),
      enforceSSL: true,
    });
    this.sent = new ExpiringTable(this, 'Sent', {
      ...capacity.table('sent'),
      partitionKey: { name: 'id', type: AttributeType.STRING },
      items: sentItems,
      timeToLiveAttribute: 'expiration',
    });
    this.work = new WorkQueue(this, 'Work', {
      work: 'notification',
      atStake: 'an owner has no notification',
      batchSize: 100,
      batchingWindow: Duration.seconds(2),
      concurrency,
      shares,
      addAlarm,
    });
    events.route(this, 'Notified', {
      description: 'events that owners are notified of',
      types: notifiedEvents,
      target: new SqsQueue(this.work.queue, { deadLetterQueue: this.work.deadLetterQueue }),
    });
    this.notifier = new WalletFunction(this, 'notifier', {
      timeout: this.work.workerTimeout,
      reservedConcurrency: this.work.workerConcurrency,
      environment: {
        TABLE_NAME: ledger.allow({ BatchGetItem: ['wallet', 'preferences'] }),
        NOTIFICATION_QUEUE_URL: this.work.allow(['ChangeMessageVisibility']),
        NOTIFICATION_TOPIC_ARN: {
          value: this.topic.topicArn,
          grants: [{ actions: ['sns:Publish'], resources: [this.topic.topicArn] }],
        },
        SENT_TABLE_NAME: this.sent.allow({ PutItem: ['notification'] }),
      },
    });
    this.work.feed(this.notifier);
    this.functions = {
      'notification-preferences': new WalletFunction(this, 'notification-preferences', {
        environment: {
          TABLE_NAME: ledger.allow({ GetItem: ['preferences'], PutItem: ['preferences'], UpdateItem: ['rateWindow'] }),
          READS_PER_HOUR: String(rateLimits.reads),
        },
      }),
    };
  }
}
