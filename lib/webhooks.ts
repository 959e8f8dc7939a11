import { Duration, Validations } from 'aws-cdk-lib';
import { Stats } from 'aws-cdk-lib/aws-cloudwatch';
import { AttributeType, ProjectionType } from 'aws-cdk-lib/aws-dynamodb';
import { Rule, Schedule } from 'aws-cdk-lib/aws-events';
import { LambdaFunction, SqsQueue } from 'aws-cdk-lib/aws-events-targets';
import { Secret } from 'aws-cdk-lib/aws-secretsmanager';
import { Construct } from 'constructs';
import { eventTypes, indexes, metrics, mostWebhooks, webhookItems } from '../lambdas/contract.ts';
import type { FixedWebhook } from '../lambdas/contract.ts';
import { ownMetric } from './alarms.ts';
import type { AddAlarm } from './alarms.ts';
import type { TableCapacity } from './capacity.ts';
import type { Shares } from './concurrency.ts';
import { ownKey } from './encryption.ts';
import type { Events } from './events.ts';
import { ExpiringTable } from './expiring-table.ts';
import { WalletFunction } from './wallet-function.ts';
import { WorkQueue } from './work-queue.ts';

/** Options of webhooks. */
export interface WebhooksOptions {
  /**
   * Endpoints that the stack names, beside those that operators make: `[{ url: 'https://…', eventTypes: ['wallet.funded'] }]`.
   * The worker makes them within a minute. Their secrets come from `POST /webhooks/{webhookId}/rotate`.
   *
   * @default - none
   */
  readonly endpoints?: readonly FixedWebhook[];

  /**
   * Whether receivers at `http://127.0.0.1` are allowed, too: for a service and a receiver on one machine. In the cloud
   * that address is the function itself.
   *
   * @default false
   */
  readonly loopback?: boolean;
}

/** Properties of `Webhooks`. */
export interface WebhooksProps {
  readonly events: Events;
  readonly options: WebhooksOptions;
  readonly capacity: TableCapacity;
  readonly shares: Shares;
  readonly addAlarm: AddAlarm;
}

/** Webhooks: endpoints that get events by HTTP, signed, with retries (docs/webhooks.md). */
export class Webhooks extends Construct {
  readonly work: WorkQueue;
  /** The endpoints, and the deliveries of thirty days. */
  readonly store: ExpiringTable<keyof typeof webhookItems>;
  readonly functions;
  readonly worker: WalletFunction<'webhooks'>;

  constructor(scope: Construct, id: string, props: WebhooksProps) {
    super(scope, id);
    const { events, options, capacity, shares, addAlarm } = props;
    this.store = this.#newStore(capacity);
    this.work = new WorkQueue(this, 'Work', {
      work: 'webhook',
      atStake: 'an endpoint has not got an event',
      batchSize: 10,
      // One for each endpoint that may hang, and two that take the events of all.
      concurrency: mostWebhooks + 2,
      shares,
      addAlarm,
    });
    events.route(this, 'Subscribed', {
      description: 'events for webhooks',
      target: new SqsQueue(this.work.queue, { deadLetterQueue: this.work.deadLetterQueue }),
    });
    const shared = {
      WEBHOOK_SECRET_ARN: this.#allowSecret(),
      WEBHOOK_TARGETS: options.loopback ? 'loopback' : 'public',
    };
    this.functions = {
      'webhook-routes': new WalletFunction(this, 'webhook-routes', {
        environment: {
          ...shared,
          WEBHOOK_TABLE_NAME: this.store.allow({
            BatchGetItem: ['webhook'],
            Query: ['webhook', 'delivery'],
            PutItem: ['webhook', 'delivery'],
            UpdateItem: ['webhook'],
          }),
          WEBHOOK_QUEUE_URL: this.work.allow(['SendMessage']),
        },
      }),
    };
    this.worker = new WalletFunction(this, 'webhooks', {
      timeout: this.work.workerTimeout,
      reservedConcurrency: this.work.workerConcurrency,
      environment: {
        ...shared,
        WEBHOOK_TABLE_NAME: this.store.allow(
          {
            BatchGetItem: ['webhook', 'delivery'],
            Query: ['webhook', 'delivery'],
            PutItem: ['delivery', 'webhook'],
            UpdateItem: ['webhook', 'delivery'],
          },
          [indexes.due],
        ),
        WEBHOOK_QUEUE_URL: this.work.allow(['SendMessage', 'ChangeMessageVisibility']),
        EVENT_BUS_NAME: events.allowPublishing(),
        WEBHOOK_ENDPOINTS: endpointsText(options),
      },
    });
    this.work.feed(this.worker);
    new Rule(this, 'EveryMinute', {
      description: 'Wallet service: deliveries of webhooks that are due again',
      schedule: Schedule.rate(Duration.minutes(1)),
      targets: [new LambdaFunction(this.worker.invoked)],
    });
    this.#addAlarms(addAlarm);
  }

  /** Adds the table, with an index of what is due. */
  #newStore(capacity: TableCapacity): ExpiringTable<keyof typeof webhookItems> {
    return new ExpiringTable(this, 'Store', {
      ...capacity.table('webhooks'),
      partitionKey: { name: 'pk', type: AttributeType.STRING },
      sortKey: { name: 'sk', type: AttributeType.STRING },
      items: webhookItems,
      timeToLiveAttribute: 'ttl',
      globalSecondaryIndexes: [
        {
          indexName: indexes.due,
          ...capacity.index('dueDeliveries'),
          partitionKey: { name: 'due', type: AttributeType.STRING },
          sortKey: { name: 'dueAt', type: AttributeType.STRING },
          projectionType: ProjectionType.KEYS_ONLY,
        },
      ],
    });
  }

  /** Returns the ARN of the secret with the key of all endpoints, with the permission to read it. */
  #allowSecret() {
    const secret = new Secret(this, 'Key', {
      description: 'Key that the secrets of webhooks are derived from',
      ...ownKey(this),
      generateSecretString: { passwordLength: 64, excludePunctuation: true },
    });
    Validations.of(secret).acknowledge({
      id: 'AwsSolutions-SMG4',
      reason: 'With a new key the secret of every endpoint is another one; each endpoint rotates its own by a route.',
    });
    return {
      value: secret.secretArn,
      grants: [{ actions: ['secretsmanager:GetSecretValue'], resources: [secret.secretArn] }],
    };
  }

  #addAlarms(addAlarm: AddAlarm): void {
    addAlarm(this, 'Parked', {
      name: 'webhook deliveries parked',
      severity: 'warning',
      metric: ownMetric(this, metrics.webhooksParked, Stats.SUM, Duration.minutes(5)),
      threshold: 1,
      periods: 1,
      meaning: 'A receiver has not taken an event for a day, or a delivery cannot be read. The event is kept.',
      runbook: 'webhook-deliveries-parked',
    });
    addAlarm(this, 'Disabled', {
      name: 'webhook disabled',
      severity: 'warning',
      metric: ownMetric(this, metrics.webhooksDisabled, Stats.SUM, Duration.minutes(5)),
      threshold: 1,
      periods: 1,
      meaning: 'A receiver has taken nothing for a week. Its events are kept, and not sent until it is active again.',
      runbook: 'webhook-disabled',
    });
  }
}

/** The most bytes of the endpoints as JSON: a function's variables have 4 KB together. */
const mostBytes = 3_000;

/** Returns the endpoints as JSON. Throws Error for one that the worker would not call, and for too many. */
function endpointsText({ endpoints = [], loopback = false }: WebhooksOptions): string {
  for (const [index, { url, eventTypes: wanted }] of endpoints.entries()) {
    const name = `webhooks.endpoints[${index}]`;
    const { protocol, port } = URL.canParse(url) ? new URL(url) : { protocol: '', port: '' };
    if (!loopback && (protocol !== 'https:' || port !== '')) {
      throw new Error(`${name}.url must be an https URL on port 443, received "${url}"`);
    }
    const unknown = wanted.find((type) => !eventTypes.includes(type));
    if (wanted.length === 0 || unknown !== undefined) {
      throw new Error(`${name}.eventTypes must name types of events, received ${unknown ?? 'none'}`);
    }
  }
  const [urls, text] = [new Set(endpoints.map(({ url }) => url)), JSON.stringify(endpoints)];
  if (urls.size < endpoints.length) throw new Error('webhooks.endpoints must have one endpoint for each URL');
  if (endpoints.length > mostWebhooks || Buffer.byteLength(text) > mostBytes) {
    throw new Error(`webhooks.endpoints takes ${mostWebhooks} endpoints and ${mostBytes} bytes as JSON`);
  }
  return text;
}
