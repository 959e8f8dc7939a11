/** Loads the tables of the books into a copy. */
import { QueryCommand, ScanCommand } from '@aws-sdk/client-dynamodb';
import type { AttributeValue, QueryCommandInput, ScanCommandInput } from '@aws-sdk/client-dynamodb';
import { entryItems, indexes, ledgerItems } from '../../lambdas/contract.ts';
import { forEachOf } from '../../lambdas/aws/parallel.ts';
import { legIdOf } from '../../lambdas/domain/ids.ts';
import { kindOf, ledgerPartition, walletKey } from '../../lambdas/store/keys.ts';
import {
  ordersPartition,
  receiverPartitions,
  walletIdOfOrders,
  walletIdOfPartition,
} from '../../lambdas/store/history-keys.ts';
import { parseAlias } from '../../lambdas/store/aliases.ts';
import { parseApproval } from '../../lambdas/store/approvals.ts';
import { askedPrefix } from '../../lambdas/store/operations.ts';
import { readItems } from '../../lambdas/store/read.ts';
import { toEntry } from '../../lambdas/store/entries.ts';
import { parseFeeState } from '../../lambdas/store/fees.ts';
import { parseOrder } from '../../lambdas/store/order-item.ts';
import { withRetries } from '../../lambdas/store/table.ts';
import type { Table } from '../../lambdas/store/table.ts';
import { toTransaction } from '../../lambdas/store/transactions.ts';
import { UnreadableItem } from '../../lambdas/store/unreadable.ts';
import { parseWallet } from '../../lambdas/store/wallets.ts';
import { fromItem, toItem } from '../../lambdas/store/write.ts';
import type { Item } from '../../lambdas/store/write.ts';
import { atomically } from '../../local/storage/store.ts';
import type { BooksCopy } from './copy.ts';
import type { Report } from './report.ts';

/** Segments of a table that are read side by side. */
const segments = 8;

/** Copies both tables of the books, by consistent reads. */
export async function loadBooks(
  { table, entries }: { readonly table: Table; readonly entries: Table },
  copy: BooksCopy,
  report: Report,
): Promise<void> {
  await scan(
    table,
    {},
    (item) => {
      loadLedgerItem(copy, item, report);
    },
    copy,
  );
  const withoutJournal = {
    FilterExpression: 'NOT begins_with(pk, :journal)',
    ExpressionAttributeValues: toItem({ ':journal': entryItems.journal }),
  };
  await scan(
    entries,
    withoutJournal,
    (item) => {
      loadEntriesItem(copy, item);
    },
    copy,
  );
  copy.index();
}

type StoredItem = Record<string, AttributeValue>;

async function scan(
  table: Table,
  filter: Partial<ScanCommandInput>,
  take: (item: StoredItem) => void,
  copy: BooksCopy,
): Promise<void> {
  await forEachOf(
    Array.from({ length: segments }, (_, segment) => segment),
    segments,
    async (Segment) => {
      for (let start: ScanCommandInput['ExclusiveStartKey'], more = true; more; more = start !== undefined) {
        const { Items = [], LastEvaluatedKey } = await withRetries(table, () =>
          table.client.send(
            new ScanCommand({
              ...{ TableName: table.name, Segment, TotalSegments: segments, ConsistentRead: true },
              ...filter,
              ...(start !== undefined && { ExclusiveStartKey: start }),
            }),
          ),
        );
        atomically(copy.database, () => {
          Items.forEach(take);
        });
        start = LastEvaluatedKey;
      }
    },
  );
}

/** Copies an item of the wallet table. Names one that cannot be read: no repair touches it. */
function loadLedgerItem(copy: BooksCopy, stored: StoredItem, report: Report): void {
  const pk = stored['pk']?.S ?? '';
  const sk = stored['sk']?.S ?? '';
  if (pk.startsWith(ledgerItems.ownedWallet)) {
    const line = { walletId: sk.slice('WALLET#'.length), ownerId: pk.slice(ledgerItems.ownedWallet.length) };
    copy.run('INSERT OR REPLACE INTO lines VALUES (?, ?)', line.walletId, line.ownerId);
    return;
  }
  const kind = kindOf({ sk });
  if (pk.startsWith(ledgerItems.reference)) {
    copy.run('INSERT OR REPLACE INTO taken VALUES (?, ?)', pk, stored['transactionId']?.S ?? '');
    return;
  }
  if (pk.startsWith(ledgerItems.takenAliases)) {
    const ownerId = pk.slice(ledgerItems.takenAliases.length);
    for (const name of stored['aliases']?.SS ?? []) copy.putCountedAlias(name, ownerId);
    return;
  }
  const isFees = pk.startsWith(ledgerItems.fees);
  const isAlias = pk.startsWith(ledgerItems.alias);
  if (!isFees && !isAlias && !['wallet', 'transaction', 'order', 'approval'].includes(kind ?? '')) return;
  try {
    const item = fromItem(stored);
    if (isFees) copy.putFees(parseFeeState(item));
    else if (isAlias) copy.putAlias(parseAlias(item));
    else if (kind === 'wallet') copy.putWallet(parseWallet(item));
    else if (kind === 'order') copy.putOrder(parseOrder(item));
    else if (kind === 'approval') copy.putApproval(parseApproval(item));
    else loadRecord(copy, item);
  } catch (error) {
    if (!(error instanceof UnreadableItem)) throw error;
    const id = pk.slice(pk.indexOf('#') + 1);
    loadUnreadable(copy, id, stored);
    if (kind === 'order') {
      // Only an active order is due.
      copy.putHiddenOrder(id, walletIdOfOrders(stored['walletId']?.S ?? ''), stored['dueShard'] !== undefined);
    }
    report.differs({ kind: 'unreadable', subject: pk, detail: error.problem, remedy: 'restore the item by hand' });
  }
}

/** Keeps what an unreadable item says of the record that it counts against, as it stands there. */
function loadUnreadable(copy: BooksCopy, id: string, { type, originalTransactionId, amount }: StoredItem): void {
  const known = Number(amount?.N ?? 0);
  copy.run(
    'INSERT OR REPLACE INTO unreadable VALUES (?, ?, ?, ?)',
    ...[id, type?.S ?? '', originalTransactionId?.S ?? '', Number.isSafeInteger(known) && known > 0 ? known : 0],
  );
}

function loadRecord(copy: BooksCopy, item: Item): void {
  const transaction = toTransaction(item);
  if (transaction !== undefined) {
    copy.putTransaction(transaction, { crowdOf: crowdOf(item) });
    return;
  }
  const { pk, principal, createdAt, fingerprint } = item as Record<string, string | undefined>;
  const id = (pk ?? '').slice(ledgerItems.transaction.length);
  // The key of a request that waits for a second operator: its command takes its place, also when it is put back.
  if (fingerprint?.startsWith(askedPrefix) === true) return;
  copy.run('INSERT OR REPLACE INTO operations VALUES (?, ?, ?)', ...[id, principal ?? '', createdAt ?? '']);
  for (let leg = 0; leg < Number(item['legs'] ?? 0); leg++) {
    copy.run('INSERT OR REPLACE INTO legs VALUES (?)', legIdOf(id, leg));
  }
}

/** Returns the receiver of a transfer that arrived in a crowd: the attribute names a part of the receivers' index. */
function crowdOf({ counterpartyWalletId: partition }: Item): string | undefined {
  return typeof partition === 'string' && partition.includes('#') ? walletIdOfPartition(partition) : undefined;
}

/** Copies an item of the entries table: an entry, a part of a total, or the record of a counted booking. */
function loadEntriesItem(copy: BooksCopy, stored: StoredItem): void {
  const pk = stored['pk']?.S ?? '';
  const sk = stored['sk']?.S ?? '';
  if (pk.startsWith(entryItems.entry)) {
    loadEntry(copy, stored, pk.slice(entryItems.entry.length), Number(sk));
  } else if (pk.startsWith(entryItems.total)) {
    const [account = ''] = pk.slice(entryItems.total.length).split('#');
    copy.run('INSERT OR REPLACE INTO totals VALUES (?, ?, ?, ?)', account, sk, pk, stored['booked']?.N ?? '');
  } else if (pk.startsWith(entryItems.booking)) {
    const id = pk.slice(entryItems.booking.length);
    copy.run('INSERT OR REPLACE INTO counted VALUES (?, ?, ?)', id, Number(sk), stored['content']?.S ?? '');
  }
}

/** An entry that cannot be read breaks its chain: only its version is kept. */
function loadEntry(copy: BooksCopy, stored: StoredItem, walletId: string, version: number): void {
  try {
    copy.putEntry(toEntry(fromItem(stored)));
  } catch {
    const hash = stored['hash']?.S ?? '';
    copy.run("INSERT OR REPLACE INTO entries VALUES (?, ?, '', '', 0, 0, ?, '')", walletId, version, hash);
  }
}

/** Copies one wallet, its transactions by the indexes, and its entries. Returns false when there is no such wallet. */
export async function loadWallet(
  { table, entries }: { readonly table: Table; readonly entries: Table },
  walletId: string,
  copy: BooksCopy,
  report: Report,
): Promise<boolean> {
  const readWallet = async () => (await readItems(table, [walletKey(walletId)])).map(parseWallet)[0];
  const first = await readWallet();
  if (first === undefined) return false;
  await queryAll(entries, { key: 'pk', value: ledgerPartition(walletId), ConsistentRead: true }, (stored) => {
    loadEntriesItem(copy, stored);
  });
  const take = (stored: StoredItem) => {
    loadLedgerItem(copy, stored, report);
  };
  for (const value of [walletId, ordersPartition(walletId)]) {
    await queryAll(table, { IndexName: indexes.byWallet, key: 'walletId', value }, take);
  }
  for (const value of receiverPartitions(first)) {
    await queryAll(table, { IndexName: indexes.byCounterparty, key: 'counterpartyWalletId', value }, take);
  }
  // Last: a wallet that moves meanwhile is ahead of its ledger, as the projector leaves it.
  copy.putWallet((await readWallet()) ?? first);
  copy.index();
  return true;
}

async function queryAll(
  table: Table,
  { key, value, ...where }: Partial<QueryCommandInput> & { readonly key: string; readonly value: string },
  take: (item: StoredItem) => void,
): Promise<void> {
  for (let start: QueryCommandInput['ExclusiveStartKey'], more = true; more; more = start !== undefined) {
    const { Items = [], LastEvaluatedKey } = await withRetries(table, () =>
      table.client.send(
        new QueryCommand({
          ...{ TableName: table.name, KeyConditionExpression: `${key} = :value`, ...where },
          ExpressionAttributeValues: toItem({ ':value': value }),
          ...(start !== undefined && { ExclusiveStartKey: start }),
        }),
      ),
    );
    Items.forEach(take);
    start = LastEvaluatedKey;
  }
}
