import { Duration } from 'aws-cdk-lib';
import { Construct } from 'constructs';
import type { AddAlarm } from './alarms.ts';
import type { Shares } from './concurrency.ts';
import type { EntriesTable } from './entries-table.ts';
import type { LedgerTable } from './ledger-table.ts';
import { StreamConsumer } from './stream-consumer.ts';
import { WalletFunction } from './wallet-function.ts';

/** Properties of `Projector`. */
export interface ProjectorProps {
  readonly ledger: LedgerTable;
  readonly entries: EntriesTable;
  readonly shares: Shares;
  readonly addAlarm: AddAlarm;
}

/** The writer of the wallets' ledgers and of the totals of the other accounts, from the table's stream. */
export class Projector extends Construct {
  readonly worker: WalletFunction<'projector'>;
  readonly consumer: StreamConsumer;

  constructor(scope: Construct, id: string, { ledger, entries, shares, addAlarm }: ProjectorProps) {
    super(scope, id);
    this.consumer = new StreamConsumer(this, 'Stream', {
      work: 'projector',
      missing: 'ledgers or totals lack it',
      addAlarm,
    });
    this.worker = new WalletFunction(this, 'projector', {
      // A batch of one wallet is 100 inserts in a row, and the store's own tries at one of them end after 4 s.
      timeout: Duration.seconds(60),
      reservedConcurrency: shares.streams,
      environment: {
        ENTRIES_TABLE_NAME: entries.allow({
          Query: ['entry'],
          BatchGetItem: ['entry'],
          PartiQLInsert: ['entry'],
          PutItem: ['booking', 'journal'],
          UpdateItem: ['total'],
        }),
        SET_ASIDE_QUEUE_URL: this.consumer.allowSettingAside(),
      },
    });
    this.consumer.feed(this.worker, ledger);
  }
}
