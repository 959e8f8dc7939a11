/**
 * The books of a history: the stream of its wallets and transactions, the real projector that follows it into a table of
 * entries, and what must be true of them when everything has come to rest.
 */
import { unmarshall } from '@aws-sdk/util-dynamodb';
import type { AttributeValue, DynamoDBRecord } from 'aws-lambda';
import type { Table } from '../../lambdas/store/table.ts';
import { project } from '../../lambdas/workers/projector.ts';
import type { Witness } from './answers.ts';
import type { AuditedTable } from './auditor.ts';
import { between, chance } from './chance.ts';
import type { StoredItem } from './dynamodb.ts';
import type { Item, Ledger, Violate, WalletState } from './ledger.ts';
import type { Task, World } from './world.ts';

export interface Books {
  /** The table of entries, for tasks. */
  readonly entries: Table;
  /** Whether the projector has dealt with every change. */
  readonly isIdle: () => boolean;
  /** Whether a change was not yet projected at any time since then, epoch ms. */
  readonly wasBehind: (since: number) => boolean;
  /** How many records the projector has set aside. */
  readonly setAside: () => number;
  /** Compares entries and totals with what the auditor has seen. */
  readonly checkAtRest: (witness: Pick<Witness, 'asks' | 'struck'>) => Promise<void>;
}

interface Shard {
  readonly name: number;
  records: DynamoDBRecord[];
  isBusy: boolean;
  batches: number;
}

interface Parts {
  readonly entries: Table;
  /** The auditor's way to the same table. */
  readonly stored: AuditedTable;
  readonly ledger: Ledger;
  readonly violate: Violate;
  readonly onError: (error: unknown, task: Task) => void;
}

const shards = 2;
const mostRecords = 20;
/** Time limit of the projector, ms. */
const limitMs = 60_000;
const faults = ['delivered-twice', 'delivered-late'] as const;

export function openBooks(world: World, { entries, stored, ledger, violate, onError }: Parts): Books {
  const lanes = Array.from({ length: shards }, (_, name): Shard => ({ name, records: [], isBusy: false, batches: 0 }));
  const aside: DynamoDBRecord[] = [];
  let behindUntil = 0;
  let sequence = 0;

  const isIdle = () => lanes.every(({ records, isBusy }) => records.length === 0 && !isBusy);

  function wake(shard: Shard, delayMs: number): void {
    world.at(world.now() + delayMs, () => {
      void deliver(shard);
    });
  }

  ledger.follow((key, before, after) => {
    const pk = key['pk']?.S ?? '';
    const shard = lanes[Math.floor(chance('shard', pk) * shards)];
    if (shard === undefined) return;
    const image = (item: StoredItem) => item as Record<string, AttributeValue>;
    shard.records.push({
      dynamodb: {
        Keys: image(key),
        ...(before && { OldImage: image(before) }),
        NewImage: image(after),
        SequenceNumber: String(sequence++),
      },
    });
    wake(shard, between(20, 3_000, world.seed, 'stream', sequence));
  });

  /** As Lambda does: a batch again, from the record that the function names, or the whole of it when it died. */
  async function deliver(shard: Shard): Promise<void> {
    if (shard.isBusy || shard.records.length === 0) return;
    const label = `projector ${shard.name}.${shard.batches++}`;
    const kind = world.strike({ id: `delivery of ${label}`, call: 'stream delivers', kinds: faults });
    if (kind === 'delivered-late') {
      wake(shard, between(5_000, 600_000, world.seed, 'late', label));
      return;
    }
    shard.isBusy = true;
    const batch = shard.records.slice(0, mostRecords);
    const services = {
      entries,
      setAside: {
        send({ Records }: { Records: DynamoDBRecord[] }) {
          aside.push(...Records);
          return Promise.resolve();
        },
      },
    };
    const ending = await world.task(label, limitMs, () => project(batch, services));
    if (ending.how === 'threw') onError(ending.error, ending.task);
    const again = ending.how === 'returned' ? ending.value : batch[0];
    const done = again === undefined ? batch.length : batch.indexOf(again);
    if (kind !== 'delivered-twice') shard.records = shard.records.slice(done);
    shard.isBusy = false;
    behindUntil = world.now();
    if (shard.records.length > 0) wake(shard, again === undefined ? 1 : 1_000);
  }

  async function readEntries(): Promise<{ ledgers: Map<string, Item[]>; totals: Map<string, bigint> }> {
    const items = (await stored.scan()).map((item) => unmarshall(item) as Item);
    const ledgers = Map.groupBy(
      items
        .filter(({ pk }) => String(pk).startsWith('LEDGER#'))
        .sort((a, b) => (String(a['sk']) < String(b['sk']) ? -1 : 1)),
      ({ pk }) => String(pk).slice('LEDGER#'.length),
    );
    const totals = new Map<string, bigint>();
    for (const { pk, booked } of items.filter((item) => String(item['pk']).startsWith('TOTAL#'))) {
      const account = String(pk).slice('TOTAL#'.length);
      totals.set(account, (totals.get(account) ?? 0n) + BigInt(booked as number));
    }
    return { ledgers, totals };
  }

  function totalsOfPostings(): Map<string, bigint> {
    const totals = new Map<string, bigint>();
    for (const { account, amount } of ledger.transactions().flatMap(({ postings }) => postings))
      if (!account.startsWith('wallet:')) totals.set(account, (totals.get(account) ?? 0n) + BigInt(amount));
    return totals;
  }

  /** An answer that was final shows what held at its moment also now that everything is known. */
  function checkFinalAnswers({ asks, struck }: Pick<Witness, 'asks' | 'struck'>): void {
    // A process that is frozen for minutes writes later than any function of AWS can.
    if (struck().some(({ kind }) => kind === 'pause')) return;
    for (const { label, step, response } of asks) {
      const body = response?.body;
      if (step.action.do !== 'balance-at' || response?.status !== 200 || body?.['final'] !== true) continue;
      const walletId = String(body['walletId']);
      const [held] = heldVersions(ledger, walletId, String(body['at']), { from: Infinity, to: Infinity });
      if (held?.version !== body['version'])
        violate(
          'a final answer stays true',
          `${label}: version ${String(body['version'])}, and not ${held?.version ?? 'none'}`,
        );
    }
  }

  return {
    entries,
    isIdle,
    wasBehind: (since) => !isIdle() || behindUntil >= since,
    setAside: () => aside.length,
    async checkAtRest(witness) {
      checkFinalAnswers(witness);
      if (aside.length > 0) violate('the ledger follows the wallets', `${aside.length} records are set aside`);
      const { ledgers, totals } = await readEntries();
      for (const { walletId } of ledger.wallets()) {
        const problem = problemIn(ledgers.get(walletId) ?? [], versionsOf(ledger, walletId));
        if (problem !== undefined) violate('the ledger follows the wallets', `${walletId}: ${problem}`);
      }
      for (const [account, total] of totalsOfPostings())
        if ((totals.get(account) ?? 0n) !== total)
          violate('totals are the sums of postings', `${account}: ${totals.get(account) ?? 0n}, and not ${total}`);
    },
  };
}

/** Returns what the wallet was with each of its versions. */
function versionsOf(ledger: Ledger, walletId: string): WalletState[] {
  const looks = ledger.looks(`WALLET#${walletId}`, 'WALLET', 0, Infinity);
  return looks.filter((look) => look !== undefined) as WalletState[];
}

/** What is wrong with the ledger of a wallet; undefined when nothing is. */
function problemIn(entries: readonly Item[], versions: readonly WalletState[]): string | undefined {
  if (entries.length !== versions.length) return `${versions.length} versions have ${entries.length} entries`;
  for (const [version, entry] of entries.entries()) {
    const wallet = versions[version];
    const { balanceAfter, bookedAt, moment } = entry as { balanceAfter: Item; bookedAt: string; moment: string };
    if (balanceAfter['available'] !== wallet?.available || balanceAfter['held'] !== wallet?.held)
      return `entry ${version} has another balance`;
    if (bookedAt !== wallet?.['updatedAt']) return `entry ${version} was booked at another time`;
    const times = versions.slice(0, version + 1).map(({ updatedAt }) => String(updatedAt));
    const latest = times.reduce((one, other) => (one > other ? one : other));
    if (!moment.startsWith(`${latest}#`)) return `entry ${version} holds from ${moment}, and not from ${latest}`;
  }
  return undefined;
}

/**
 * Returns the versions of a wallet that an answer about a moment may show: what held at it, of the versions that there were
 * at any time while the answer was made.
 *
 * @param moment ISO 8601
 */
export function heldVersions(
  ledger: Ledger,
  walletId: string,
  moment: string,
  { from, to }: { readonly from: number; readonly to: number },
): WalletState[] {
  const key = [`WALLET#${walletId}`, 'WALLET'] as const;
  const count = (until: number) => ledger.looks(...key, 0, until).filter((look) => look !== undefined).length;
  const versions = versionsOf(ledger, walletId);
  const held: WalletState[] = [];
  for (let known = count(from); known <= count(to); known++) {
    const there = versions.slice(0, known);
    const end = there.findIndex(({ updatedAt }) => String(updatedAt) > moment);
    const last = (end < 0 ? there : there.slice(0, end)).at(-1);
    if (last !== undefined) held.push(last);
  }
  return held;
}
