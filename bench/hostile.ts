/**
 * A shop that is paid while callers without money send it transfers that are refused. The model has DynamoDB's rule for
 * conflicts, and the time that a transaction takes there, refused ones too.
 *
 * The machine does not distort it. Payers and callers are paced, and the callers' reads do not reach the engine. Each
 * case is compared with the same load into another wallet.
 */
import type { BatchGetItemCommandInput, BatchGetItemCommandOutput, DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { transfer as transferRoute } from '../lambdas/api/transfer.ts';
import { ledgerItems } from '../lambdas/contract.ts';
import { transactionIdOf } from '../lambdas/domain/ids.ts';
import { transfer } from '../lambdas/domain/transfer.ts';
import { serve } from '../lambdas/http/http.ts';
import { openLimits } from '../lambdas/http/limits.ts';
import { documentClient } from '../lambdas/store/table.ts';
import type { Table } from '../lambdas/store/table.ts';
import { commitTransfer } from '../lambdas/store/transfers.ts';
import { createWallet } from '../lambdas/store/open-wallet.ts';
import { refuseOverlaps } from './conflicts.ts';
import { figure, median, table as tableOf, verdict } from './report.ts';
import { contextOf, eventOf, request } from './requests.ts';
import { openWalletsInProcess } from './service.ts';
import type { Service } from './service.ts';

export interface HostileOptions {
  readonly rounds: number;
  /** Length of one case in one round. */
  readonly seconds: number;
}

/** The shop's figures in one case: medians of the rounds. */
export interface HostileCase {
  readonly name: string;
  readonly paymentsPerSecond: number;
  /**
   * Median over the rounds of the rate by that of the shop alone in the same round. It includes the load on this
   * machine.
   */
  readonly shareOfAlone: number;
  /** The same by the rate under the same load into another wallet: only the conflicts count. NaN for the controls. */
  readonly share: number;
  /** Payments in the slowest second of a round. */
  readonly slowestSecond: number;
  /** Tries of the shop's payments that met another write. */
  readonly conflictsPerPayment: number;
  /** Requests of the hostile callers that were answered. */
  readonly hostilePerSecond: number;
  /** Their writes that reached the shop's wallet, conflicts among them. */
  readonly hostileWritesPerSecond: number;
  readonly isTarget: boolean;
}

/** The share of its rate that the shop must keep, against the same load without conflicts. */
export const shareTarget = 0.8;

/** How long a transaction takes in DynamoDB, ms. Its items are locked for that time. */
const transactionMs = 10;
const readMs = 5;
const payers = { count: 2, perSecond: 20 };
const callers = { count: 16, perSecond: 10, lanes: 4 };

/** A function that sends a transfer to a receiver as the `n`th hostile caller. */
type Attack = (n: number, toWalletId: string) => Promise<unknown>;

interface Case {
  readonly name: string;
  /** The wallet that the callers pay, if there are any, and the way in which they are served. */
  readonly receiver?: 'shop' | 'other';
  readonly containers?: number;
  /** The case with the same load on this machine, and no conflicts with the shop. */
  readonly control?: string;
}

const alone = 'shop alone';
const cases: readonly Case[] = [
  { name: alone },
  ...[
    { name: 'plain write' },
    { name: 'as it is, 1 container', containers: 1 },
    { name: 'as it is, 8 containers', containers: 8 },
  ].flatMap((served): Case[] => {
    const control = `${served.name}, into another wallet`;
    return [
      { ...served, name: control, receiver: 'other' },
      { ...served, receiver: 'shop', control },
    ];
  }),
];

interface Round {
  readonly perSecond: number;
  readonly slowestSecond: number;
  readonly conflictsPerPayment: number;
  readonly hostilePerSecond: number;
  readonly hostileWritesPerSecond: number;
}

/** Measures the shop's rate in each case. */
export async function measureHostile(
  service: Service,
  { rounds, seconds }: HostileOptions,
  progress: (line: string) => void,
): Promise<HostileCase[]> {
  const [shop = '', other = '', ...senders] = await openWalletsInProcess(service, 2 + payers.count);
  const underWay = new Set<string>();
  const clients = [service.newClient(), service.newClient()] as const;
  const [shops, hostile] = clients.map((client) => {
    const counts = refuseOverlaps(client, { underWay, holdMs: transactionMs });
    return { table: { ...service.table, client: documentClient(client) }, client, counts };
  }) as [Side, Side];
  answerReadsFromMemory(hostile.client);
  const results = new Map<Case, Round[]>(cases.map((each) => [each, []]));
  try {
    // The first round warms up.
    for (let round = 0; round <= rounds; round++) {
      progress(round === 0 ? 'warm-up' : `round ${round} of ${rounds}`);
      for (const [each, measured] of results) {
        const attack = each.receiver && (await attackOf(each, hostile.table, service.table));
        const receiver = each.receiver === 'other' ? other : shop;
        const length = round === 0 ? 1 : seconds;
        const result = await runRound({ shops, hostile, senders, shop, receiver, attack, seconds: length });
        if (round > 0) measured.push(result);
      }
    }
  } finally {
    for (const client of clients) client.destroy();
  }
  const shareOf = (measured: readonly Round[], other: string | undefined) => {
    const baseline = [...results].find(([{ name }]) => name === other)?.[1] ?? [];
    return median(measured.map(({ perSecond }, round) => perSecond / (baseline[round]?.perSecond ?? NaN)));
  };
  return [...results].map(([{ name, control, containers }, measured]) => ({
    name,
    isTarget: control !== undefined && containers !== undefined,
    shareOfAlone: shareOf(measured, alone),
    share: shareOf(measured, control),
    paymentsPerSecond: median(measured.map(({ perSecond }) => perSecond)),
    slowestSecond: Math.min(...measured.map(({ slowestSecond }) => slowestSecond)),
    conflictsPerPayment: median(measured.map(({ conflictsPerPayment }) => conflictsPerPayment)),
    hostilePerSecond: median(measured.map(({ hostilePerSecond }) => hostilePerSecond)),
    hostileWritesPerSecond: median(measured.map(({ hostileWritesPerSecond }) => hostileWritesPerSecond)),
  }));
}

/**
 * Answers a batch of reads of the same wallets as the first time. The engine reads one batch after the other, at
 * milliseconds each, while DynamoDB reads side by side. A wallet without money stays so, and each record is new.
 */
function answerReadsFromMemory(client: DynamoDBClient): void {
  const answers = new Map<string, Promise<{ output: BatchGetItemCommandOutput; response: unknown }>>();
  client.middlewareStack.add(
    (next, context) => async (args) => {
      if (context.commandName !== 'BatchGetItemCommand') return next(args);
      const [{ Keys = [] } = {}] = Object.values((args.input as BatchGetItemCommandInput).RequestItems ?? {});
      const wallets = JSON.stringify(Keys.filter(({ pk }) => pk?.S?.startsWith(ledgerItems.wallet)));
      const answer = answers.get(wallets) ?? (next(args) as NonNullable<ReturnType<typeof answers.get>>);
      answers.set(wallets, answer);
      await sleep(readMs);
      return answer;
    },
    { step: 'initialize', name: 'answerReadsFromMemory' },
  );
}

interface Side {
  readonly table: Table;
  readonly client: DynamoDBClient;
  readonly counts: ReturnType<typeof refuseOverlaps>;
}

/** Opens an empty wallet for each caller, who are new in each round, and the containers that serve them. */
async function attackOf({ containers }: Case, table: Table, unhindered: Table): Promise<Attack> {
  const names = Array.from({ length: callers.count }, () => `hostile-${randomUUID()}`);
  const wallets: string[] = [];
  for (const name of names) wallets.push(await openEmptyWallet(unhindered, name));
  const owned = (n: number) => ({ name: names[n] ?? '', walletId: wallets[n] ?? '' });
  if (containers === undefined) {
    return (n, toWalletId) => {
      const { name, walletId } = owned(n);
      return pay(table, { principal: name, ownerId: name, walletId, toWalletId });
    };
  }
  const handlers = Array.from({ length: containers }, () =>
    serve(transferRoute, {
      table,
      // The defaults of the service.
      limits: openLimits({ readsPerHour: 1_000, refusalsPerHour: 100, perHour: 100 }),
      queue: { send: () => Promise.resolve() },
      isOverloaded: () => Promise.resolve(false),
    }),
  );
  return (n, toWalletId) => {
    const { name, walletId } = owned(n);
    const body = { amount: 100, toWalletId };
    const benchRequest = request('POST', '/wallets/{walletId}/transfer', { walletId }, { key: randomUUID(), body });
    const handler = handlers[Math.floor(Math.random() * containers)];
    if (handler === undefined) throw new Error('there is no container');
    return handler(eventOf(benchRequest, { principal: name, scopes: 'read write' }), contextOf('bench'));
  };
}

async function openEmptyWallet(table: Table, ownerId: string): Promise<string> {
  const operation = {
    kind: 'owner' as const,
    principal: ownerId,
    idempotencyKey: 'open',
    fingerprint: 'bench',
    at: new Date().toISOString(),
  };
  const { wallet } = await createWallet(table, operation, { ownerId, currency: 'EUR', rate: undefined });
  return wallet.walletId;
}

function pay(
  table: Table,
  parties: { principal: string; ownerId: string | undefined; walletId: string; toWalletId: string },
): Promise<unknown> {
  const facts = {
    ...parties,
    kind: 'owner' as const,
    transactionId: transactionIdOf('bench', randomUUID()),
    amount: 100,
    currency: 'EUR',
    at: new Date().toISOString(),
  };
  return commitTransfer(table, { ...transfer(facts), counterpartyWalletId: parties.toWalletId }, 'bench', undefined);
}

async function runRound(round: {
  readonly shops: Side;
  readonly hostile: Side;
  readonly senders: readonly string[];
  readonly shop: string;
  readonly receiver: string;
  readonly attack: Attack | undefined;
  readonly seconds: number;
}): Promise<Round> {
  const { shops, hostile, senders, shop, receiver, attack, seconds } = round;
  const before = { conflicts: shops.counts.conflicts, writes: hostile.counts.writes };
  const startedAt = performance.now();
  const until = startedAt + seconds * 1000;
  const paidAt: number[] = [];
  let answered = 0;
  const paying = senders.map((walletId) =>
    paced(until, 1000 / payers.perSecond, async () => {
      await pay(shops.table, { principal: 'payer', ownerId: undefined, walletId, toWalletId: shop });
      paidAt.push(performance.now());
    }),
  );
  const lanes = attack === undefined ? 0 : callers.count * callers.lanes;
  const attacking = Array.from({ length: lanes }, (_, lane) =>
    paced(until, (callers.lanes * 1000) / callers.perSecond, async () => {
      await attack?.(lane % callers.count, receiver).finally(() => {
        if (performance.now() < until) answered++;
      });
    }),
  );
  await sleep(seconds * 1000);
  const writes = hostile.counts.writes - before.writes;
  const conflicts = shops.counts.conflicts - before.conflicts;
  await Promise.all([...paying, ...attacking]);
  const inTime = paidAt.filter((at) => at < until);
  const bySecond = Array.from(
    { length: Math.floor(seconds) },
    (_, second) => inTime.filter((at) => Math.floor((at - startedAt) / 1000) === second).length,
  );
  return {
    perSecond: inTime.length / seconds,
    slowestSecond: Math.min(...bySecond),
    conflictsPerPayment: conflicts / Math.max(1, inTime.length),
    hostilePerSecond: answered / seconds,
    hostileWritesPerSecond: writes / seconds,
  };
}

/** Works once in each interval until a time, later if the work takes longer. Hostile callers want refusals. */
async function paced(until: number, intervalMs: number, work: () => Promise<unknown>): Promise<void> {
  let next = performance.now() + Math.random() * intervalMs;
  while (next < until) {
    await sleep(Math.max(0, next - performance.now()));
    if (performance.now() >= until) return;
    await work().catch(() => undefined);
    next = Math.max(next + intervalMs, performance.now());
  }
}

/** Returns the shop's figures as a table. */
export function hostileTable(measured: readonly HostileCase[]): string {
  return tableOf(
    [
      `${callers.count} hostile callers`,
      'payments/s',
      'slowest second',
      'of alone',
      'of same load',
      'conflicts each',
      'asked/s',
      'writes/s',
      '',
    ],
    measured.map((each) => [
      each.name,
      figure(each.paymentsPerSecond),
      figure(each.slowestSecond),
      figure(each.shareOfAlone),
      figure(each.share),
      figure(each.conflictsPerPayment),
      figure(Math.round(each.hostilePerSecond)),
      figure(Math.round(each.hostileWritesPerSecond)),
      each.isTarget ? verdict(each.share >= shareTarget) : '',
    ]),
  );
}
