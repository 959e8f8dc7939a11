/** One history, from its first step until everything is at rest, and its violations. */
import { metrics as metricNames } from '../../lambdas/contract.ts';
import { caps } from '../../lambdas/domain/wallet.ts';
import { epoch } from '../engine.ts';
import { actorsOn } from './actors.ts';
import type { Actors } from './actors.ts';
import { inShort } from './answers.ts';
import type { Ask } from './asks.ts';
import type { AuditedTable } from './auditor.ts';
import { openModelBanks } from './bank.ts';
import { openBooks } from './books.ts';
import { chance } from './chance.ts';
import { checkAtRest } from './checks.ts';
import type { Connection } from './connection.ts';
import { deploy } from './deployment.ts';
import type { Rollout } from './deployment.ts';
import { connectTable } from './dynamodb.ts';
import { checkFee } from './fees.ts';
import { transactionIdOfName } from './history.ts';
import type { History } from './history.ts';
import type { Clients } from './in-process-clients.ts';
import { shareKeys } from './keys.ts';
import { openLedger } from './ledger.ts';
import { linesOf, openBatches } from './batches.ts';
import type { BatchState } from './batches.ts';
import type { TransactionState } from './items.ts';
import type { Trace } from '../model/traces.ts';
import { isDue, isFarOff, ordersIn } from './orders.ts';
import type { Fault, Plan, Point } from './plan.ts';
import { inhabit, isInjected, isUnreadable, reportError } from './process.ts';
import { openQueues } from './queues.ts';
import { openRestorer } from './recovery.ts';
import { openService } from './service.ts';
import { livesIn, statesIn } from './states.ts';
import type { StateName } from './states.ts';
import { tracesIn } from './traces.ts';
import type { Decided } from './traces.ts';
import { checkUpgrade, mayBePuzzled } from './upgrade.ts';
import { openWorld } from './world.ts';
import { checkWebhooks } from './webhook-checks.ts';
import { labelOfWebhooks, openWebhooks } from './webhooks.ts';
import type { Webhooks } from './webhooks.ts';
import type { Task } from './world.ts';

export interface Violation {
  readonly rule: string;
  readonly detail: string;
}

export interface Outcome {
  readonly violations: readonly Violation[];
  /** Every place where a fault could have struck. */
  readonly points: readonly Point[];
  readonly struck: readonly (Fault & { readonly call: string })[];
  /** The number of answers by status and code, and of transactions by type and end. */
  readonly tally: ReadonlyMap<string, number>;
  /** The states that every campaign must reach, as far as this history reached them. */
  readonly states: readonly StateName[];
  /** Its withdrawals and holds, as traces of the models. */
  readonly traces: readonly Trace[];
  /** The events of the history, one on a line. */
  readonly story: readonly string[];
}

const minuteMs = 60_000;
const hourMs = 60 * minuteMs;
/** Time after an hour from which its fees are collected. */
const collectAfterMs = 6 * minuteMs;

/** The clients and tables of a history. */
interface Surroundings {
  readonly clients: Clients;
  /** The connection to the engine. */
  readonly connection: Connection;
  readonly table: AuditedTable;
  /** The table of entries, where the history has books. */
  readonly entries: AuditedTable | undefined;
  /** The table of webhooks, where the history has them. */
  readonly hooks: AuditedTable | undefined;
  /** The upgrade of the history, if it has one. */
  readonly rollout?: Rollout | undefined;
}
/** Everything must have ended this long after the last fault. */
const patienceMinutes = 240;
/** All work in progress has arrived by then: the longest pause, and a hidden message. */
const settlingMinutes = 5;

/**
 * Runs a history.
 *
 * @param surroundings empty tables
 * @param plan the faults until some time after the last step
 */
export async function simulate(
  { clients, connection, table, entries, hooks, rollout }: Surroundings,
  history: History,
  plan: Plan,
): Promise<Outcome> {
  const { seed } = history;
  const world = openWorld(seed, epoch, plan);
  const violations: Violation[] = [];
  const story: string[] = [];
  const asks: Ask[] = [];
  const decided: Decided[] = [];
  const log = (line: string) => story.push(`${String(world.now() - epoch).padStart(9)} ms  ${line}`);
  const violate = (rule: string, detail: string) => {
    violations.push({ rule, detail });
    log(`VIOLATION of "${rule}": ${detail}`);
  };
  const labels = new Map([
    ...history.steps.map((step) => [transactionIdOfName(step), step.id] as const),
    ...linesOf(history.steps).map(
      ({ step, line, name }) => [transactionIdOfName(name), `${step.id}/${line.key}`] as const,
    ),
  ]);
  const labelOf = (transactionId: string) => labels.get(transactionId) ?? transactionId.slice(0, 8);

  const ledger = openLedger(
    table,
    world.now,
    violate,
    (transaction) => {
      log(`${labelOf(transaction.transactionId)} is ${transaction.status}`);
      if (transaction.type === 'withdrawal') checkEnd(transaction);
      checkFee(transaction, history.service.fees, world.now(), violate);
      const { transactionId, walletId, end, expiresAt = '', status, executeAt = '', standingOrderId } = transaction;
      if (status === 'pending' && history.databaseNamesTime && world.now() < Date.parse(executeAt)) {
        violate('nothing is executed before its time', `${labelOf(transactionId)} before ${executeAt}`);
      }
      if (status === 'scheduled' && standingOrderId === undefined) {
        const own = ledger.transactions().filter((one) => one.walletId === walletId && one.status === 'scheduled');
        const most = (history.service.caps ?? caps).scheduled;
        if (own.length > most) violate('a wallet has no payment too many', `${walletId} has ${own.length} scheduled`);
      }
      if (end === 'expired' && history.databaseNamesTime && world.now() < Date.parse(expiresAt)) {
        violate('no hold expires early', `${labelOf(transactionId)} before ${expiresAt}`);
      }
    },
    (before, after, task) => {
      const most = (history.service.caps ?? caps).orders;
      if (after['sk'] === 'WALLET' && Number(after['orders'] ?? 0) > most) {
        violate(
          'a wallet has no standing order too many',
          `${String(after['walletId'])} has ${String(after['orders'])}`,
        );
      }
      if (rollout !== undefined) checkUpgrade({ before, after, by: deployment.runBy(task), rollout, violate });
    },
  );
  const down = history.bankDown.map(({ from, to }) => ({ from: epoch + from, to: epoch + to }));
  const replacedAt = history.bankReplacedAt === undefined ? undefined : epoch + history.bankReplacedAt;
  const keys = shareKeys(world, epoch, history.rotation);
  const banks = openModelBanks(
    world,
    { ...history.bank, down, replacedAt },
    keys,
    violate,
    (entry) => {
      decided.push({ reference: entry.payment.reference, decision: entry.decision, moment: ledger.moment() });
      actors.onDecision(entry);
    },
    (reference) => {
      if (ledger.frozenSinceClaim(reference)) violate('a freeze stops payouts that have not left', labelOf(reference));
    },
    // A recovery lets the service ask about each open withdrawal, unless its whole record was lost.
    (reference) => history.restore?.recovery === undefined || (ledger.restored()?.lost.has(reference) ?? true),
  );
  const workOf = (body: string) => (JSON.parse(body) as { transactionId: string }).transactionId;
  const queues = openQueues(
    world,
    (body) => labelOfWebhooks(body) ?? labelOf(workOf(body)),
    (body, delivery) => {
      if (labelOfWebhooks(body) !== undefined) return;
      // The sweeper finds only overdue work. A message is redelivered whenever the backoff requires it.
      const work = ledger.transactions().find(({ transactionId }) => transactionId === workOf(body));
      // A withdrawal that waits for its wallet needs no message: the sweeper sends one when it is due.
      const { status, waitingFor } = work ?? {};
      if (waitingFor !== undefined) return;
      if (status === 'pending' || status === 'executing') {
        violate('open work keeps its message', `${delivery} is ${status}`);
      }
    },
  );
  const webhooks = hooks && openWebhooks(world, { history, table: hooks, wallets: ledger, queues, keys, violate });
  const access = {
    ...{ connection, entriesName: entries?.name, namesTime: history.databaseNamesTime },
    ...(webhooks && { webhooks: { name: webhooks.tableName, observe: webhooks.ledger.observe } }),
  };
  clients.connect('dynamodb', connectTable(world, access, ledger));
  clients.connect('sqs', queues.model);
  /** Tasks that met an item that their release cannot read, as it may. */
  const puzzled = new Set<Task>();
  const onError = (error: unknown, task: Task) => {
    if (isUnreadable(error) && mayBePuzzled(rollout, deployment.runBy(task), task)) {
      puzzled.add(task);
    } else if (!isInjected(error, task) && !isOfRevenue(error)) {
      violate('no unexpected errors', `${task.label}: ${reportError(error)}`);
    }
  };
  /** Returns whether fees were not collected as their wallet took no money. */
  function isOfRevenue(error: unknown): boolean {
    const { revenueWallet } = history.service.fees ?? {};
    const { status = 'not_found' } = ledger.wallets().find(({ walletId }) => walletId === revenueWallet) ?? {};
    return status !== 'active' && (error as { readonly code?: unknown }).code === `wallet_${status}`;
  }
  const outside = {
    ...{ world, clients, banks, settings: history.service, webhooks },
    tables: { name: table.name, entriesName: entries?.name },
    report(error: unknown) {
      const task = world.current();
      if (task !== undefined) onError(error, task);
    },
  };
  const deployment = deploy(outside, epoch, rollout);
  const books = entries && openBooks(world, { banks, deployment, stored: entries, ledger, violate, onError });
  // It reads each change with the code of today, so it has no place in an upgrade.
  const restorer =
    books && history.restore?.recovery !== undefined
      ? openRestorer(world, { ...deployment.last(), stored: entries, ledger, books, banks, violate, log })
      : undefined;
  const service = openService(world, { clients, deployment, queues, banks, keys }, history.service, onError);
  const { queuedBefore } = service;
  const witness = {
    ...{ history, ledger, books, webhooks, queues, asks, keys, queuedBefore, violate, now: world.now },
    struck: () => world.struck,
    isPuzzled: (task: Task | undefined) => task !== undefined && puzzled.has(task),
  };
  const actors: Actors = actorsOn({ world, service, banks, keys, witness, labelOf, log });

  /**
   * Checks the end of a withdrawal. A hold is consumed only after the bank has paid. A hold is released only after the
   * bank has refused for good, or if the bank was never asked.
   */
  function checkEnd({ transactionId, status, failure, executeAt, executedAt }: TransactionState): void {
    // Its wallet refused it before any money was held.
    if (status === 'failed' && executeAt !== undefined && executedAt === undefined) {
      if (banks.visits(transactionId).submits > 0) violate('a refused payment never leaves', labelOf(transactionId));
      return;
    }
    if (failure?.code === 'cancelled') {
      if (banks.visits(transactionId).submits > 0) {
        violate('cancelled only when never submitted', labelOf(transactionId));
      }
      return;
    }
    const decisions = banks
      .entries()
      .flatMap((entry) => (entry.payment.reference === transactionId ? entry.decision : []));
    const decision = ['paid', 'rejected'].find((one) => decisions.some((made) => made === one)) ?? 'none';
    const said = `${labelOf(transactionId)} is ${status}, the banks' decision is ${decision}`;
    if (status === 'completed' && decision !== 'paid') violate('settled only when paid', said);
    if (status === 'failed' && decision !== 'rejected') violate('released only when definitely not paid', said);
  }

  /**
   * Runs the sweeper every minute. A run without overdue work is usually skipped, as it costs much and shows little.
   */
  async function sweepEveryMinute(): Promise<void> {
    for (let n = 1; ; n++) {
      await world.sleep(minuteMs);
      if (isOver) return;
      const now = new Date(world.now()).toISOString();
      const overdue = new Date(world.now() - minuteMs).toISOString();
      const isLate = ({ dueAt = overdue }: BatchState) => dueAt < overdue;
      const found =
        openBatches(ledger).some(isLate) ||
        ledger
          .transactions()
          .some(
            ({ dueAt, status, waitingFor }) =>
              dueAt !== undefined &&
              status !== 'review' &&
              dueAt < (waitingFor === undefined && status !== 'open' && status !== 'scheduled' ? overdue : now),
          );
      const isOrderDue = ordersIn(ledger.latest()).some((order) => isDue(order, world.now()));
      if (found || isOrderDue || chance(seed, 'sweep', n) < history.idleSweeps) void service.sweep(`sweep ${n}`);
    }
  }

  /** Stops everything, puts the wallet table back, and asks the bank to report all its decisions again. */
  function putBack({ at, to, stoppedMs, recovery }: NonNullable<History['restore']>): void {
    world.at(epoch + at, async () => {
      world.stop(recovery === undefined ? epoch + at + stoppedMs : Infinity);
      if (recovery !== undefined) await restorer?.lose(epoch + to, recovery);
      else await ledger.putBack(epoch + to);
      log(`the wallet table is put back to ${to} ms`);
    });
    world.at(epoch + at + stoppedMs, () => {
      if (recovery === undefined) {
        actors.remind();
        return;
      }
      void restorer?.recover(epoch + to, recovery).then(() => {
        world.start();
        actors.remind();
      });
    });
  }

  /** Lets the sweeper collect the fees of all hours, when everything is at rest. Checks that nothing is left. */
  async function collectFees(): Promise<void> {
    const { revenueWallet } = history.service.fees ?? {};
    const wallet = ledger.wallets().find(({ walletId }) => walletId === revenueWallet);
    if (books === undefined || wallet?.status !== 'active') return;
    await world.run(Math.ceil(world.now() / hourMs) * hourMs + collectAfterMs);
    for (const n of [1, 2]) void service.sweep(`collect ${n}`);
    await world.run(world.now() + minuteMs);
    const sumOf = (account: string) => {
      const postings = ledger.transactions().flatMap((one) => one.postings);
      return postings.reduce((sum, one) => (one.account === account ? sum + BigInt(one.amount) : sum), 0n);
    };
    const left = sumOf('fees:EUR') + sumOf('collected:EUR');
    if (left !== 0n) violate('all fees are collected', `${left} are left`);
    await world.run(world.now() + minuteMs);
  }

  const isAtRest = () =>
    !(restorer?.isBusy() ?? false) &&
    !actors.busy() &&
    (books?.isIdle() ?? true) &&
    // What an earlier release has set aside is handed back.
    (rollout === undefined || (books?.setAside() ?? 0) === 0) &&
    openBatches(ledger).length === 0 &&
    ordersIn(ledger.latest()).every((order) => !isDue(order, world.now())) &&
    ledger.transactions().every((one) => ended.has(one.status) || isFarOff(one, world.now()));

  /** Lets the later steps happen, and all deliveries end, which takes days. Nothing else goes on. */
  async function goOnWith(hooked: Webhooks): Promise<void> {
    const later = history.steps.filter(({ isLater }) => isLater);
    for (const step of later) actors.begin(step);
    const times = later.map(({ at }) => world.now() + at);
    await hooked.settle(times, actors.busy);
    await ledger.audit(false);
    await checkWebhooks(witness, hooked, world.struck);
  }

  const steps = history.steps.filter(({ isLater }) => !isLater);
  /** Whether everything but webhooks has ended, so that the sweeper has no work. */
  let isOver = false;
  let clockDoubts = 0;
  let [keptMessages, handedBack] = [0, 0];
  const leave = inhabit(world, deployment.telemetry, {
    onError({ message, code, error }, task) {
      if (message === 'request failed' && code === 'internal_error') onError(error, task);
      if (String((error as Error | undefined)?.message).startsWith('message of version 2')) keptMessages++;
      if (task.label.startsWith('webhooks ')) webhooks?.judge(error, task);
    },
    onLog: webhooks?.onLog,
    onMetric(name, task) {
      if (name === metricNames.clockDoubted) clockDoubts++;
      // A transaction that was lost with a restore may be requested again with another amount.
      const isLost = (ledger.restored()?.lost.size ?? 0) > 0;
      if (name === metricNames.bankContradiction && !isLost) violate('the bank is never contradicted', task.label);
    },
  });
  try {
    steps.forEach(actors.begin);
    void sweepEveryMinute();
    webhooks?.begin(service.scheduleWebhooks);
    if (history.restore !== undefined) putBack(history.restore);
    const { at: restoredAt = 0, stoppedMs = 0 } = history.restore ?? {};
    const ends = [...steps.map(({ at }) => at), ...history.bankDown.map(({ to }) => to)];
    const upgradedAt = rollout?.stages.at(-1)?.from ?? 0;
    const recoveredAt = history.restore?.recovery === undefined ? 0 : restoredAt + stoppedMs + minuteMs;
    const times = [restoredAt + stoppedMs, recoveredAt, history.bankReplacedAt ?? 0, upgradedAt, ...ends];
    const last = Math.max(...times);
    await world.run(epoch + Math.max(last, history.calmAt ?? 0));
    if (history.calmAt !== undefined) {
      world.calm();
      log('no fault strikes from now on');
    }
    for (let minute = 0; minute < patienceMinutes && (minute < settlingMinutes || !isAtRest()); minute++) {
      actors.resolveReviews(minute);
      actors.unfreezeWaiting(minute);
      actors.approveOpen(minute);
      // Operators hand back what an earlier release has kept.
      if (rollout !== undefined) {
        queues.redrive();
        handedBack += books?.setAside() ?? 0;
        books?.replay();
      }
      await world.run(world.now() + minuteMs);
    }
    if (!isAtRest()) violate('accepted work ends', `not within ${patienceMinutes} minutes`);
    await collectFees();
    await ledger.audit();
    checkAtRest(witness, banks);
    if (history.restore?.recovery === undefined) await books?.checkAtRest(witness);
    else await restorer?.checkAtRest();
    isOver = true;
    if (webhooks !== undefined) await goOnWith(webhooks);
  } finally {
    leave();
  }

  const tally = new Map<string, number>();
  const count = (name: string) => tally.set(name, (tally.get(name) ?? 0) + 1);
  for (const { route, response } of asks) count(`${route}: ${inShort(response)}`);
  for (const { type, status } of ledger.transactions()) count(`${type} ${status}`);
  if (rollout !== undefined) {
    count(`upgrade ${rollout.name}`);
    for (const task of puzzled) count(`upgrade: ${deployment.runBy(task)?.name ?? 'a task'} leaves a newer item`);
    if (keptMessages > 0) count('upgrade: newer messages are kept');
    if (handedBack > 0) count('upgrade: records are set aside, and handed back');
  }
  const states = statesIn({
    history,
    asks,
    transactions: ledger.transactions(),
    lives: livesIn(ledger),
    struck: new Set(world.struck.map(({ kind }) => kind)),
    deadLetters: queues.deadLetters(),
    refusedSignatures: banks.refusedSignatures(),
    setAside: books?.setAside() ?? 0,
    clockDoubts,
    webhooks,
    ledger,
  });
  const traces = tracesIn(history, ledger, decided);
  return { violations, points: world.points, struck: world.struck, tally, states, traces, story };
}

const ended: ReadonlySet<string> = new Set(['completed', 'failed', 'ended']);
