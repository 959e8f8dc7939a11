/** The loss of the wallet table, its restore with torn transactions, and the recovery of the books. */
import { isDeepStrictEqual } from 'node:util';
import type { DynamoDBRecord } from 'aws-lambda';
import { unmarshall } from '@aws-sdk/util-dynamodb';
import { loadEvent } from '../../bin/recover/archive.ts';
import { recoverBooks } from '../../bin/recover/recover.ts';
import { Recovery } from '../../bin/recover/recovery.ts';
import type { Difference } from '../../bin/recover/report.ts';
import { eventOf } from '../../lambdas/events/events.ts';
import type { ServiceEvent } from '../../lambdas/views/event-schemas.ts';
import { changeOf } from '../../lambdas/store/stream.ts';
import type { Table } from '../../lambdas/store/table.ts';
import { issuer } from '../request.ts';
import type { AuditedTable } from './auditor.ts';
import { checkRecoveredAliases } from './aliases.ts';
import type { Banks } from './bank.ts';
import type { Books } from './books.ts';
import { ordersIn } from './orders.ts';
import { between, chance } from './chance.ts';
import { keyText } from './dynamodb.ts';
import type { StoredItem } from './dynamodb.ts';
import type { RecoveryPlan } from './history.ts';
import type { Item, Violate } from './items.ts';
import type { Ledger } from './ledger.ts';
import { reportError, isInjected } from './process.ts';
import type { World } from './world.ts';

export interface Restorer {
  /** Loses the tables, and puts back what the restore has. */
  readonly lose: (to: number, plan: RecoveryPlan) => Promise<void>;
  /** Runs the recovery until it ends, and checks what it has made. */
  readonly recover: (to: number, plan: RecoveryPlan) => Promise<void>;
  readonly isBusy: () => boolean;
  /** Checks that nothing but the named differences is wrong, when everything is at rest. */
  readonly checkAtRest: () => Promise<void>;
}

interface Parts {
  readonly table: Table;
  readonly entries: Table;
  /** The auditor's way to the entries. */
  readonly stored: AuditedTable;
  readonly ledger: Ledger;
  readonly books: Books;
  readonly banks: Banks;
  readonly violate: Violate;
  readonly log: (line: string) => void;
}

const facts = { fingerprintKey: 'a key that only tests have', issuer };
const hourMs = 3_600_000;
/** Runs of a recovery that meets faults; an operator repeats it. */
const mostRuns = 30;
/** The share of entries that are lost when the entries table is torn. */
const tornShare = 0.15;
/** The share of recoveries whose books are checked before anything starts again. */
const shareChecked = 0.25;

export function openRestorer(world: World, parts: Parts): Restorer {
  const { ledger, books, banks, stored, violate, log } = parts;
  const archive: { readonly at: number; readonly event: ServiceEvent }[] = [];
  /** Subjects of the named differences, by kind. */
  const named = new Map<string, Set<string>>();
  let lostAt = 0;
  let isBusy = false;
  let asideBefore = 0;
  /** The ledger before the recovery, and what the sources show. */
  let versions = new Map<string, number>();
  let shown = new Set<string>();

  ledger.follow((key, before, after) => {
    const record = { dynamodb: { Keys: key, ...(before && { OldImage: before }), NewImage: after } };
    const change = changeOf(record as DynamoDBRecord);
    const event = change && eventOf(change, facts);
    // As the bus delivers it: through JSON.
    if (event) archive.push({ at: world.now(), event: JSON.parse(JSON.stringify(event, bigints)) as ServiceEvent });
  });

  const isNamed = (subject: string) => [...named.values()].some((subjects) => subjects.has(subject));

  async function entriesNow(): Promise<Item[]> {
    return (await stored.scan()).map((item) => unmarshall(item) as Item);
  }

  async function loseEntries({ entries }: RecoveryPlan): Promise<void> {
    if (entries === 'kept') return;
    for (const { pk, sk } of await stored.scan()) {
      if (pk === undefined || sk === undefined) continue;
      const isLost = entries === 'lost' || chance(world.seed, 'entry lost', keyText({ pk, sk })) < tornShare;
      if (isLost) await stored.remove({ pk, sk });
    }
  }

  /** Notes what the sources of the recovery show. */
  async function noteSources({ archiveLagMs }: RecoveryPlan): Promise<void> {
    const items = await entriesNow();
    const ledgers = items.filter(({ pk }) => String(pk).startsWith('LEDGER#'));
    versions = new Map();
    for (const { pk, sk } of ledgers) {
      const walletId = String(pk).slice('LEDGER#'.length);
      versions.set(walletId, Math.max(Number(sk), versions.get(walletId) ?? 0));
    }
    shown = new Set([
      ...ledgers.flatMap(({ transactionId }) => (typeof transactionId === 'string' ? [transactionId] : [])),
      ...eventsIn(archiveLagMs).flatMap((event) => ('transaction' in event ? [event.transaction.transactionId] : [])),
      ...banks.entries().flatMap(({ payment, timesPaid }) => (timesPaid > 0 ? [payment.reference] : [])),
    ]);
  }

  function eventsIn(archiveLagMs: number | undefined): ServiceEvent[] {
    if (archiveLagMs === undefined) return [];
    return archive.filter(({ at }) => at <= lostAt - archiveLagMs).map(({ event }) => event);
  }

  /** Runs the recovery once, as an operator does from a shell. */
  function run(label: string, to: number, { archiveLagMs }: RecoveryPlan) {
    const { table, entries } = parts;
    const report = {
      repairs: (what: string, subject: string, detail: string) => {
        log(`${label}: ${what} ${subject}: ${detail}`);
      },
      differs: ({ kind, subject, detail }: Difference) => {
        log(`${label}: DIFFERENCE ${kind} ${subject}: ${detail}`);
        const subjects = named.get(kind) ?? new Set();
        named.set(kind, subjects.add(subject));
      },
    };
    const items = banks
      .entries()
      .flatMap(({ payment: { reference, amount, currency }, timesPaid }) =>
        timesPaid > 0 ? [{ reference, amount, currency, paidAt: new Date(to).toISOString() }] : [],
      );
    const bank = {
      bankId: banks.current(),
      statement: () => Promise.resolve({ outcome: 'page', items, next: undefined } as const),
    };
    const options = { bank, comparedFrom: to - hourMs, dryRun: false, restartsChecks: true, report };
    const recovery = new Recovery({ table, entries, ...options }, true);
    const work = () =>
      recoverBooks(recovery, {
        loadEvents: (copy) => {
          for (const event of eventsIn(archiveLagMs)) loadEvent(copy, event);
          return Promise.resolve();
        },
        setSettings: () => {
          ledger.recovers('stream');
          return Promise.resolve();
        },
      });
    return world.operate(label, work).finally(() => {
      recovery.close();
    });
  }

  /** Repeats the recovery until it ends. */
  async function runToEnd(name: string, to: number, plan: RecoveryPlan): Promise<void> {
    for (let n = 0; n < mostRuns; n++) {
      const ending = await run(`${name} ${n}`, to, plan);
      if (ending.how === 'returned') return;
      if (ending.how === 'threw' && !isInjected(ending.error, ending.task)) {
        violate('a recovery ends', `${ending.task.label}: ${reportError(ending.error)}`);
        return;
      }
      await world.sleep(30_000);
    }
    violate('a recovery ends', `not within ${mostRuns} runs`);
  }

  /** Checks the books right after the recovery. Shares no code with it. */
  async function check({ archiveLagMs }: RecoveryPlan): Promise<void> {
    const active = ordersIn(ledger.latest()).filter(({ status }) => status === 'active');
    for (const id of ledger.restored()?.lost ?? []) {
      const isOperation = !ledger.moved(id);
      if (!shown.has(id) || isOperation || isNamed(id)) continue;
      const orderId = ledger.looksOf(id).at(-1)?.transaction.standingOrderId;
      // Its order makes it again.
      const isMadeAgain = orderId !== undefined && active.some(({ standingOrderId }) => standingOrderId === orderId);
      if (!isMadeAgain) violate('a recovery names what is lost', id);
    }
    checkRecoveredAliases(ledger, eventsIn(archiveLagMs), isNamed, violate);
    const there = new Set(ledger.transactions().map(({ transactionId }) => transactionId));
    for (const kind of ['transaction_forgotten', 'payment_forgotten']) {
      for (const id of named.get(kind) ?? []) {
        if (there.has(id)) violate('a recovery names nothing else', `${kind} ${id}`);
      }
    }
    for (const { walletId, version } of ledger.wallets()) {
      const before = versions.get(walletId) ?? 0;
      if (version < before) violate('versions never run backwards', `${walletId} has ${version}, and had ${before}`);
    }
    const paid = banks.entries().filter(({ timesPaid, bankId }) => timesPaid > 0 && bankId === banks.current());
    for (const { payment } of paid) {
      const record = ledger.transactions().find(({ transactionId }) => transactionId === payment.reference);
      if (record?.status !== 'completed' && !isNamed(payment.reference)) {
        violate('a paid withdrawal is completed, or named', `${payment.reference} is ${record?.status ?? 'lost'}`);
      }
    }
    // The check at rest finds what is still wrong then, so few histories need this one, which makes many calls.
    if (chance(world.seed, 'checked at once') > shareChecked) return;
    for (const finding of await books.check()) {
      if (!isExcused(finding)) violate('recovered books are sound', finding);
    }
  }

  /** A payment that could not be booked is a finding of every check until an operator has corrected it. */
  function isExcused(finding: string): boolean {
    const [kind = '', subject = ''] = finding.split(' ');
    return kind === 'payment_differs' && named.get('payment_forgotten')?.has(subject) === true;
  }

  /** Does work of the auditor, for which the world waits. */
  function standingStill(work: () => Promise<void>): Promise<void> {
    return new Promise((resolve) => {
      world.at(world.now(), async () => {
        await work();
        resolve();
      });
    });
  }

  async function images(): Promise<[string, StoredItem][]> {
    const all = [...ledger.items(), ...(await stored.scan())];
    return all.map((item): [string, StoredItem] => [keyText(item), item]).sort(([a], [b]) => (a < b ? -1 : 1));
  }

  return {
    isBusy: () => isBusy,
    async lose(to, plan) {
      isBusy = true;
      lostAt = world.now();
      ledger.recovers('begun');
      await ledger.putBack(to, (text) => between(-plan.tornMs, plan.tornMs, world.seed, 'torn', text));
      books.loseStream();
      await loseEntries(plan);
      await noteSources(plan);
      asideBefore = books.setAside();
    },
    async recover(to, plan) {
      await runToEnd('recover', to, plan);
      let before: [string, StoredItem][] = [];
      await standingStill(async () => {
        before = await images();
      });
      await runToEnd('recover again', to, plan);
      await standingStill(async () => {
        const after = await images();
        const isSame = ([text, item]: [string, StoredItem], n: number) =>
          before[n]?.[0] === text && isDeepStrictEqual(before[n][1], item);
        const changed = after.filter((one, n) => !isSame(one, n)).map(([text]) => text);
        if (changed.length > 0 || before.length !== after.length) {
          violate('a second recovery changes nothing', changed.join(', '));
        }
        ledger.recovers('ended');
        await ledger.audit(false);
      });
      await check(plan);
      isBusy = false;
      log('the books are recovered');
    },
    async checkAtRest() {
      const setAside = books.setAside() - asideBefore;
      if (setAside > 0) violate('the ledger follows the wallets', `${setAside} changes were set aside`);
      for (const finding of await books.checkAgain()) {
        if (!isExcused(finding)) violate('recovered books stay sound', finding);
      }
    },
  };
}

function bigints(_name: string, value: unknown): unknown {
  return typeof value === 'bigint' ? Number(value) : value;
}
