/**
 * The books of a history: the stream of its wallets and transactions, and the real projector that writes its entries.
 * Checks what must hold in them when everything has come to rest.
 */
import { unmarshall } from '@aws-sdk/util-dynamodb';
import type { AttributeValue, DynamoDBRecord } from 'aws-lambda';
import type { Discrepancy } from '../../lambdas/domain/discrepancy.ts';
import { hourMs, hourOfMs } from '../../lambdas/domain/hours.ts';
import type { Witness } from './asks.ts';
import type { AuditedTable } from './auditor.ts';
import type { Banks } from './bank.ts';
import { between, chance } from './chance.ts';
import type { Deployed, Deployment } from './deployment.ts';
import type { StoredItem } from './dynamodb.ts';
import type { Item, Violate } from './items.ts';
import type { Ledger } from './ledger.ts';
import type { Projector } from './release.ts';
import { changeText, heldVersions, problemIn } from './versions.ts';
import type { Task, World } from './world.ts';

export interface Books {
  /** Returns whether the projector has projected or set aside every change. */
  readonly isIdle: () => boolean;
  /** Returns whether a change was not yet projected at any time since then, epoch ms. One that is set aside is not. */
  readonly wasBehind: (since: number) => boolean;
  /** Returns how many records the projector has set aside. */
  readonly setAside: () => number;
  /** Hands all records that were set aside back to the projector, in their order. */
  readonly replay: () => void;
  /** Forgets the changes that the projector has not seen: their stream is lost. */
  readonly loseStream: () => void;
  /** Runs the check of the books, as a task of an operator. Returns its findings by kind and subject. */
  readonly check: () => Promise<ReadonlySet<string>>;
  /** Does the same as a task, when everything is at rest. */
  readonly checkAgain: () => Promise<ReadonlySet<string>>;
  /** Compares entries and totals with what the auditor has seen. */
  readonly checkAtRest: (witness: Pick<Witness, 'asks' | 'struck'>) => Promise<void>;
}

interface Shard {
  readonly name: number;
  records: DynamoDBRecord[];
  isBusy: boolean;
  batches: number;
  /** The containers of each release. */
  readonly containers: Map<string, Projector[]>;
  /** How often everything had been stopped when they were started. */
  stops: number;
}

interface Parts {
  readonly banks: Banks;
  readonly deployment: Deployment;
  /** The auditor's way to the table of entries. */
  readonly stored: AuditedTable;
  readonly ledger: Ledger;
  readonly violate: Violate;
  readonly onError: (error: unknown, task: Task) => void;
}

const shards = 2;
const mostRecords = 20;
const containersOfShard = 2;
/** Time limit of the projector, ms. */
const limitMs = 60_000;
/** The share of histories whose closed hours are checked. */
const shareWithHours = 0.25;
/** Time in which the check of the books ends. */
const passMs = 600_000;
const faults = ['delivered-twice', 'delivered-late'] as const;

export function openBooks(world: World, { banks, deployment, stored, ledger, violate, onError }: Parts): Books {
  const lanes = Array.from({ length: shards }, (_, name): Shard => {
    return { name, records: [], isBusy: false, batches: 0, containers: new Map(), stops: 0 };
  });
  const aside: DynamoDBRecord[] = [];
  const startedAt = world.now();
  let behindUntil = 0;
  let sequence = 0;

  const isIdle = () => lanes.every(({ records, isBusy }) => records.length === 0 && !isBusy);

  function laneOf(pk: string): Shard | undefined {
    return lanes[Math.floor(chance('shard', pk) * shards)];
  }

  function wake(shard: Shard, delayMs: number): void {
    world.at(world.now() + delayMs, () => {
      void deliver(shard);
    });
  }

  ledger.follow((key, before, after) => {
    const shard = laneOf(key['pk']?.S ?? '');
    // The projector's stream is filtered: it gets no orders and no approvals.
    if (shard === undefined || (key['sk']?.S !== 'TX' && key['sk']?.S !== 'WALLET')) return;
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

  function containersOf(shard: Shard, release: Deployed): Projector[] {
    const started = Array.from({ length: containersOfShard }, release.startProjector);
    const containers = shard.containers.get(release.name) ?? started;
    shard.containers.set(release.name, containers);
    return containers;
  }

  /** Hands all records that were set aside back to the projector, in their order. */
  function replay(): void {
    for (const record of aside.splice(0).sort(inOrder).reverse()) {
      const shard = laneOf(record.dynamodb?.Keys?.['pk']?.S ?? '');
      if (shard === undefined) continue;
      // A batch in progress is in front.
      if (shard.isBusy) aside.unshift(record);
      else shard.records.unshift(record);
      wake(shard, 1);
    }
  }

  /** Delivers a batch as Lambda does: again from the record that the function names, or all of it after a crash. */
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
    const container = Math.floor(chance(world.seed, 'container', label) * containersOfShard);
    if (shard.stops < world.stops()) shard.containers.clear();
    shard.stops = world.stops();
    const release = deployment.releaseFor('projector', label);
    const containers = containersOf(shard, release);
    const project = containers[container] ?? release.startProjector();
    const ending = await world.task(label, limitMs, () => project(batch, (records) => aside.push(...records)));
    if (ending.how === 'threw') onError(ending.error, ending.task);
    if (ending.how === 'died') containers[container] = release.startProjector();
    const again = ending.how === 'returned' ? ending.value : batch[0];
    const done = again === undefined ? batch.length : batch.indexOf(again);
    if (kind !== 'delivered-twice') shard.records = shard.records.slice(done);
    shard.isBusy = false;
    behindUntil = world.now();
    if (shard.records.length > 0) wake(shard, again === undefined ? 1 : 1_000);
  }

  async function readEntries() {
    const items = (await stored.scan()).map((item) => unmarshall(item) as Item);
    const ledgers = Map.groupBy(
      items
        .filter(({ pk }) => String(pk).startsWith('LEDGER#'))
        .sort((a, b) => (String(a['sk']) < String(b['sk']) ? -1 : 1)),
      ({ pk }) => String(pk).slice('LEDGER#'.length),
    );
    const totals = new Map<string, bigint>();
    for (const { pk, booked } of items.filter((item) => String(item['pk']).startsWith('TOTAL#'))) {
      const [, account = ''] = String(pk).split('#');
      totals.set(account, (totals.get(account) ?? 0n) + BigInt(booked as number));
    }
    const journal = items
      .filter(({ pk }) => String(pk).startsWith('CHANGED#'))
      // Bytes are base64 on the wire.
      .flatMap(({ lines }) =>
        deployment.last().integrity.journalLinesOf({ lines: Buffer.from(String(lines), 'base64') }),
      )
      .flatMap(({ walletId, versions, bookings }) => [
        ...versions.map((version) => `${walletId} ${version}`),
        ...bookings.map(({ transactionId, count }) => `${transactionId} ${count}`),
      ]);
    return { ledgers, totals, journal: new Set(journal) };
  }

  /** Checks that the journal lists every change: the hourly check reads nothing else. */
  function checkJournal(journal: ReadonlySet<string>): void {
    const versions = ledger.wallets().flatMap(({ walletId }) => ledger.versions(walletId));
    const bookings = ledger.transactions().flatMap(({ transactionId, type, queued, postings }) => {
      const isOneBooking = type === 'capture' || type === 'charge' || (type === 'transfer' && queued === undefined);
      const counts = postings.length > 2 && !isOneBooking ? [2, postings.length] : [postings.length];
      return counts.map((count) => `${transactionId} ${count}`);
    });
    for (const change of [...versions.map(({ walletId, version }) => `${walletId} ${version}`), ...bookings]) {
      if (!journal.has(change)) violate('the journal lists every change', change);
    }
  }

  function totalsOfPostings(): Map<string, bigint> {
    const totals = new Map<string, bigint>();
    for (const { account, amount } of ledger.transactions().flatMap(({ postings }) => postings)) {
      if (!account.startsWith('wallet:')) totals.set(account, (totals.get(account) ?? 0n) + BigInt(amount));
    }
    return totals;
  }

  /** Checks that each final answer shows the version that held at its moment, now that everything is known. */
  function checkFinalAnswers({ asks, struck }: Pick<Witness, 'asks' | 'struck'>): void {
    // A process that is frozen for minutes writes later than any function of AWS can.
    if (struck().some(({ kind }) => kind === 'pause')) return;
    for (const { label, step, response } of asks) {
      const body = response?.body;
      if (step.action.do !== 'balance-at' || response?.status !== 200 || body?.['final'] !== true) continue;
      const walletId = String(body['walletId']);
      const [held] = heldVersions(ledger, walletId, String(body['at']), { from: Infinity, to: Infinity });
      if (held?.version !== body['version']) {
        violate(
          'a final answer stays true',
          `${label}: version ${String(body['version'])}, and not ${held?.version ?? 'none'}`,
        );
      }
    }
  }

  /** Runs the check of the books. Returns the subjects and details of its findings. */
  async function check(): Promise<ReadonlySet<string>> {
    return new Set([...(await find())].map((finding) => finding.slice(finding.indexOf(' ') + 1)));
  }

  async function find(whileStopped = false): Promise<ReadonlySet<string>> {
    const named = new Set<string>();
    const items = banks
      .entries()
      .flatMap(({ payment: { reference, amount, currency }, decision }) =>
        decision === 'paid' ? [{ reference, amount, currency, paidAt: new Date(0).toISOString() }] : [],
      );
    const bankId = banks.current();
    const { integrity, table, entries } = deployment.last();
    const statement = {
      bankId,
      statement: () => Promise.resolve({ outcome: 'page', items, next: undefined } as const),
    };
    const work = async () => {
      const pass = integrity.beginPass({ passId: 'pass', now: world.now(), segments: 1, standStill: true, bankId });
      const report = ({ kind, subject }: Discrepancy) => named.add(`${kind} ${subject}`);
      const control = { now: world.now, stop: () => false, secondLookMs: 1_000, report };
      for (;;) {
        const outcome = await integrity.runPass({ table, entries, statement }, pass, control);
        if (typeof outcome !== 'object') return;
        await world.sleep(outcome.waitUntil - world.now());
      }
    };
    const label = 'check of the books';
    const ending = whileStopped ? world.operate(`${label} after a recovery`, work) : world.task(label, passMs, work);
    if (!whileStopped) await world.run(world.now() + passMs);
    const { how } = await ending;
    if (how !== 'returned') violate('the check of the books ends', how);
    return named;
  }

  /** Checks all hours as if they were closed, on a clock of its own that is ahead. Returns their defects. */
  async function checkHours(): Promise<string[]> {
    const found: string[] = [];
    const last = hourOfMs(world.now());
    let aheadMs = 3 * hourMs;
    const now = () => world.now() + aheadMs;
    const { integrity, table, entries } = deployment.last();
    const hours = integrity.beginHours(startedAt - hourMs, undefined);
    const report = ({ kind, subject, detail }: Discrepancy) => found.push(`${kind} ${subject}: ${detail}`);
    const work = async () => {
      while (hours.hour <= last) {
        const books = { table, entries: { ...entries, now }, statement: undefined };
        const outcome = await integrity.runHours(books, hours, {
          now,
          stop: () => false,
          secondLookMs: 60_000,
          report,
        });
        if (typeof outcome === 'object') aheadMs += outcome.waitUntil - now();
        else aheadMs += hourMs;
      }
    };
    const ending = world.task('check of closed hours', passMs, work);
    await world.run(world.now() + passMs);
    const { how } = await ending;
    if (how !== 'returned') violate('the check of closed hours ends', how);
    return found;
  }

  return {
    isIdle,
    wasBehind: (since) => aside.length > 0 || !isIdle() || behindUntil >= since,
    setAside: () => aside.length,
    replay,
    loseStream() {
      for (const lane of lanes) lane.records = [];
    },
    check: () => find(true),
    checkAgain: () => find(),
    async checkAtRest(witness) {
      const restored = ledger.restored();
      const named = restored === undefined ? undefined : await check();
      if (restored === undefined) {
        checkFinalAnswers(witness);
        if (aside.length > 0) violate('the ledger follows the wallets', `${aside.length} records are set aside`);
      }
      const { ledgers, totals, journal } = await readEntries();
      if (restored === undefined) {
        checkJournal(journal);
        if (chance(world.seed, 'closed hours') < shareWithHours) {
          for (const problem of await checkHours()) violate('closed hours are sound', problem);
        }
      }
      const namedAside = new Set(
        aside.map(({ dynamodb }) => changeText(unmarshall((dynamodb?.NewImage ?? {}) as StoredItem))),
      );
      for (const { walletId } of ledger.wallets()) {
        const written = ledgers.get(walletId) ?? [];
        const problem = problemIn(written, ledger.versions(walletId));
        for (const change of ledger.versions(walletId)) {
          const entry = written[change.version];
          if (entry?.['bookedAt'] !== change['updatedAt'] && !namedAside.has(changeText(change))) {
            violate('no change is dropped', `${walletId}: version ${change.version} is no entry, and not set aside`);
          }
        }
        if (named === undefined && problem !== undefined) {
          violate('the ledger follows the wallets', `${walletId}: ${problem}`);
        }
        // When one change of the new wallet is set aside, the next may make up for it, and the sums fit again.
        const isNamed = named?.has(walletId) || [...namedAside].some((change) => change.startsWith(`${walletId} `));
        if (named !== undefined && problem !== undefined && !isNamed) {
          violate('what a restore has broken is named', `${walletId}: ${problem}`);
        }
        if (named?.has(walletId) && problem === undefined) {
          violate('the check of the books names what differs, and nothing else', walletId);
        }
      }
      for (const [account, total] of totalsOfPostings()) {
        if ((totals.get(account) ?? 0n) !== total && !named?.has(account)) {
          violate('totals are the sums of postings', `${account}: ${totals.get(account) ?? 0n}, and not ${total}`);
        }
      }
      for (const { payment, decision } of named === undefined ? [] : banks.entries()) {
        const paid = ledger.transactions().find(({ transactionId }) => transactionId === payment.reference);
        if (decision === 'paid' && (paid?.status !== 'completed' || paid.amount !== payment.amount)) {
          if (!named?.has(payment.reference)) {
            violate(
              'what a restore has broken is named',
              `${payment.reference} is paid, and ${paid?.status ?? 'lost'}`,
            );
          }
        }
      }
    },
  };
}

function inOrder(one: DynamoDBRecord, other: DynamoDBRecord): number {
  return Number(one.dynamodb?.SequenceNumber) - Number(other.dynamodb?.SequenceNumber);
}
