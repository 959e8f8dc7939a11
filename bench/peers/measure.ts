import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { proportionalMemoryMb, usageOfTree } from '../process-tree.ts';
import { latencyOf } from '../report.ts';
import type { Latency } from '../report.ts';
import type { Ledger } from './ledger.ts';

/** The load on a ledger. */
export interface Scenario {
  readonly name: string;
  readonly clients: number;
  /** All transfers go into one account. */
  readonly intoOne: boolean;
  readonly queued: boolean;
  /** The most transfers of a round: a queue would otherwise grow for as long as it accepts faster than it applies. */
  readonly atMost: number;
}

/** The figures of one ledger in one round of a scenario. */
export interface Round {
  readonly transfers: number;
  /** Transfers a second, until the last one was applied. */
  readonly perSecond: number;
  /** Time of each answer, ms, with the time of refusals before it. */
  readonly latencies: readonly number[];
  /** CPU time of all processes for a transfer and the work that follows it, without the use of the idle ledger; ms. */
  readonly cpuMs: number;
  /** How many answers were refusals. The same transfer was then sent again. */
  readonly refusals: number;
}

/** A ledger with accounts and the balances that they must have. */
export interface Opened {
  readonly ledger: Ledger;
  /** The first is the one that many pay. */
  readonly accounts: readonly string[];
  readonly expected: Map<string, number>;
  /** CPU time of the idle ledger, ms in a second. */
  readonly idleCpuMs: number;
}

const opening = 1_000_000_000;
const amount = 100;
/** How often a refused transfer is sent again. */
const resends = 200;
const resendMs = 20;
const pollMs = 100;
const patienceMs = 180_000;

/** Opens a ledger's accounts, and measures the use of the idle ledger. */
export async function openAccounts(ledger: Ledger, count: number, idleMs: number): Promise<Opened> {
  const accounts = await ledger.open(count, opening);
  await ledger.rest();
  const before = cpuMsOf(ledger);
  await sleep(idleMs);
  const idleCpuMs = ((cpuMsOf(ledger) - before) * 1000) / idleMs;
  return { ledger, accounts, expected: new Map(accounts.map((account) => [account, opening])), idleCpuMs };
}

/** Runs a scenario for some seconds. Each client sends its next transfer when the last one is answered. */
export async function runRound(opened: Opened, scenario: Scenario, seconds: number): Promise<Round> {
  const { ledger, expected, idleCpuMs } = opened;
  const latencies: number[] = [];
  const paid = new Set<string>();
  let refusals = 0;
  let queued = 0;
  let sent = 0;
  const start = { at: performance.now(), cpuMs: cpuMsOf(ledger) };
  const endAt = start.at + seconds * 1000;

  async function client(number: number): Promise<void> {
    // A machine that stalls for the whole round still measures one transfer of each client.
    for (let n = 0; (n === 0 || performance.now() < endAt) && sent < scenario.atMost; n++) {
      sent++;
      const { from, to } = pairOf(opened.accounts, scenario, number, n);
      const sentAt = performance.now();
      const answer = await settleTransfer(ledger, { key: randomUUID(), from, to, amount }, scenario.queued);
      latencies.push(performance.now() - sentAt);
      refusals += answer.refusals;
      if (answer.kind === 'queued') queued++;
      expected.set(from, (expected.get(from) ?? 0) - amount);
      expected.set(to, (expected.get(to) ?? 0) + amount);
      paid.add(to);
    }
  }

  await Promise.all(Array.from({ length: scenario.clients }, (_, number) => client(number)));
  if (queued > 0) await untilApplied(opened, paid);
  const elapsedMs = performance.now() - start.at;
  await ledger.rest();
  const restedMs = performance.now() - start.at;
  const transfers = latencies.length;
  return {
    transfers,
    perSecond: (transfers / elapsedMs) * 1000,
    latencies,
    cpuMs: (cpuMsOf(ledger) - start.cpuMs - (idleCpuMs * restedMs) / 1000) / transfers,
    refusals,
  };
}

/** Sends a transfer, and repeats it while it is refused. */
async function settleTransfer(
  ledger: Ledger,
  move: Parameters<Ledger['transfer']>[0],
  queued: boolean,
): Promise<{ kind: 'applied' | 'queued'; refusals: number }> {
  for (let refusals = 0; ; refusals++) {
    const answer = await ledger.transfer(move, queued);
    if (answer.kind !== 'refused') return { kind: answer.kind, refusals };
    if (refusals === resends) throw new Error(`a transfer is still refused: ${answer.reason}`);
    await sleep(resendMs);
  }
}

/**
 * Returns the accounts of a client's nth transfer, the same for every ledger. Senders of one client belong to no other.
 */
function pairOf(
  [hot = '', ...others]: readonly string[],
  { clients, intoOne }: Scenario,
  client: number,
  n: number,
): { from: string; to: string } {
  const own = Math.floor(others.length / clients);
  const sender = client + clients * (n % own);
  const distance = 1 + ((n * 5) % (others.length - 1));
  const receiver = others[(sender + distance) % others.length] ?? '';
  return { from: others[sender] ?? '', to: intoOne ? hot : receiver };
}

async function untilApplied({ ledger, expected }: Opened, accounts: ReadonlySet<string>): Promise<void> {
  const deadline = performance.now() + patienceMs;
  for (const account of accounts) {
    while ((await ledger.balance(account)) !== expected.get(account)) {
      if (performance.now() > deadline) throw new Error(`${account} does not get what was queued for it`);
      await sleep(pollMs);
    }
  }
}

/** Compares every balance with the answered transfers. Returns sentences about the differences. */
export async function differencesOf({ ledger, expected }: Opened): Promise<string[]> {
  const differences: string[] = [];
  for (const [account, due] of expected) {
    const found = await ledger.balance(account);
    if (found !== due) differences.push(`${account} has ${found} and should have ${due}`);
  }
  return differences;
}

function cpuMsOf(ledger: Ledger): number {
  return processesOf(ledger).reduce((sum, { cpuMs }) => sum + cpuMs, 0);
}

/** Returns the memory of a ledger's processes, MB. */
export function memoryMbOf(ledger: Ledger): number {
  return processesOf(ledger).reduce((sum, { pid }) => sum + proportionalMemoryMb(pid), 0);
}

function processesOf(ledger: Ledger) {
  return ledger.processIds.flatMap((pid) => {
    const tree = usageOfTree(pid);
    if (tree.length === 0) throw new Error(`process ${pid} has ended`);
    return tree;
  });
}

/** Returns the latencies of all rounds together. */
export function latencyOfRounds(rounds: readonly Round[]): Latency {
  return latencyOf(rounds.flatMap(({ latencies }) => latencies));
}
