import { Duration, Validations } from 'aws-cdk-lib';
import { Archive, EventBus, Rule } from 'aws-cdk-lib/aws-events';
import type { IEventBus, IRuleTarget } from 'aws-cdk-lib/aws-events';
import { Secret } from 'aws-cdk-lib/aws-secretsmanager';
import { Construct } from 'constructs';
import { eventSource } from '../lambdas/contract.ts';
import type { AddAlarm } from './alarms.ts';
import type { Shares } from './concurrency.ts';
import { ownKey } from './encryption.ts';
import type { LedgerTable } from './ledger-table.ts';
import { moneyItems, StreamConsumer } from './stream-consumer.ts';
import type { Tokens } from './tokens.ts';
import { WalletFunction } from './wallet-function.ts';
import type { Access } from './wallet-function.ts';

/** The bus for events, and the time for which they can be replayed. */
export interface EventsOptions {
  /**
   * A bus of yours, which no other wallet service uses: each would act on the events of the other.
   *
   * @default - a bus of the service's own
   */
  readonly bus?: IEventBus;

  /**
   * How long the bus's archive keeps events for a replay, in whole days. The audit keeps them longer. `false`: the bus has
   * no archive.
   *
   * @default 90 days
   */
  readonly replayRetention?: Duration | false;
}

/** Properties of `Events`. */
export interface EventsProps extends EventsOptions {
  readonly ledger: LedgerTable;
  readonly shares: Shares;
  readonly tokens: Tokens;
  readonly addAlarm: AddAlarm;
}

/** The type of the metadata that marks a bus as that of a service. */
const mark = 'wallet:service';

/**
 * Marks a bus as that of a service. Rules match the source of events, which all services share: a second service on the bus
 * would notify, screen and audit the events of the first. An imported bus is marked as often as it is imported.
 *
 * @throws Error where another service has it
 */
function claimBus(bus: IEventBus, service: string): void {
  if (bus.node.metadata.some(({ type }) => type === mark)) {
    throw new Error(
      `events.bus must have one wallet service, received the bus ${bus.node.path} for a second, ${service}`,
    );
  }
  bus.node.addMetadata(mark, service);
}

/** Each change of a wallet, transaction, approval or standing order as an event on a bus: docs/events.md. */
export class Events extends Construct {
  readonly bus: IEventBus;
  readonly relay: WalletFunction<'relay'>;
  readonly consumer: StreamConsumer;

  constructor(scope: Construct, id: string, { ledger, tokens, bus, replayRetention, shares, addAlarm }: EventsProps) {
    super(scope, id);
    this.bus = bus ?? (new EventBus(this, 'Bus', { description: 'Wallet service: events' }) as IEventBus);
    claimBus(this.bus, scope.node.path);
    if (replayRetention !== false) {
      new Archive(this, 'Replay', {
        description: 'Wallet service: events for a replay',
        sourceEventBus: this.bus,
        eventPattern: { source: [eventSource] },
        retention: replayRetention ?? Duration.days(90),
      });
    }
    const fingerprintKey = new Secret(this, 'FingerprintKey', {
      description: 'Key of the fingerprints that stand for bank accounts in events',
      ...ownKey(this),
      generateSecretString: { passwordLength: 64, excludePunctuation: true },
    });
    Validations.of(fingerprintKey).acknowledge({
      id: 'AwsSolutions-SMG4',
      reason:
        'With a new key every account looks new to consumers that compare fingerprints. The key protects nothing else.',
    });
    this.consumer = new StreamConsumer(this, 'Stream', {
      work: 'relay',
      missing: 'its event is not published',
      addAlarm,
    });
    this.relay = new WalletFunction(this, 'relay', {
      timeout: Duration.seconds(40),
      reservedConcurrency: shares.streams,
      environment: {
        EVENT_BUS_NAME: this.allowPublishing(),
        SET_ASIDE_QUEUE_URL: this.consumer.allowSettingAside(),
        TOKEN_ISSUER: tokens.environment.TOKEN_ISSUER,
        FINGERPRINT_SECRET_ARN: {
          value: fingerprintKey.secretArn,
          grants: [{ actions: ['secretsmanager:GetSecretValue'], resources: [fingerprintKey.secretArn] }],
        },
      },
    });
    // Also where no command needs a second operator and nothing is scheduled: a filter that changes takes some minutes, and
    // events would be lost.
    this.consumer.feed(this.relay, ledger, [...moneyItems, 'APPROVAL', 'ORDER']);
  }

  /** Returns the bus's name with the permission to publish on it. */
  allowPublishing(): Access {
    const { eventBusName, eventBusArn } = this.bus;
    return { value: eventBusName, grants: [{ actions: ['events:PutEvents'], resources: [eventBusArn] }] };
  }

  /**
   * Sends events to a target.
   *
   * @param types undefined sends all of them
   */
  route(scope: Construct, id: string, route: { description: string; types?: readonly string[]; target: IRuleTarget }) {
    new Rule(scope, id, {
      description: `Wallet service: ${route.description}`,
      eventBus: this.bus,
      eventPattern: { source: [eventSource], ...(route.types && { detailType: [...route.types] }) },
      targets: [route.target],
    });
  }
}
