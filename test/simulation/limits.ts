/** Limits of wallets as an auditor knows them. It counts by itself what moves, and shares no code with the service. */
import { isDeepStrictEqual } from 'node:util';
import type { Item, TransactionState, Violate, WalletState } from './items.ts';

type Direction = 'out' | 'in';

interface Flow {
  readonly perTransaction?: number;
  readonly perDay?: number;
  readonly perMonth?: number;
}

/** The limits of a wallet, as its item and a request have them. */
export interface Limits {
  readonly out?: Flow;
  readonly in?: Flow;
  readonly minimumBalance?: number;
  readonly creditLine?: number;
  readonly maximumBalance?: number;
}

/** Returns whether limits are higher than others in any place, or leave less in the wallet. */
export function areHigher(limits: Limits = {}, others: Limits = {}): boolean {
  const tops = ({ out = {}, in: into = {}, maximumBalance }: Limits) => [
    ...[out.perTransaction, out.perDay, out.perMonth],
    ...[into.perTransaction, into.perDay, into.perMonth, maximumBalance],
  ];
  const bottom = ({ minimumBalance = 0, creditLine = 0 }: Limits) => minimumBalance - creditLine;
  const before = tops(others);
  return bottom(limits) < bottom(others) || tops(limits).some((top, n) => (top ?? Infinity) > (before[n] ?? Infinity));
}

/** What moved in a wallet since its limits were set, by the names of its item. */
interface Counted {
  readonly day: string;
  readonly outDay: number | bigint;
  readonly outMonth: number | bigint;
  readonly inDay: number | bigint;
  readonly inMonth: number | bigint;
}

/** A limit that does not allow a movement, and what it lets move. */
interface Exceeded {
  readonly limit: string;
  readonly left: bigint;
}

export interface LimitAudit {
  /** Checks a change of a wallet and the transactions of the same write. */
  readonly observe: (is: WalletState, was: WalletState, changes: readonly Change[]) => void;
  /** Returns the largest credit line that the wallet ever had. */
  readonly mostCredit: (walletId: string) => bigint;
  /** Begins again from the stored items, which a restore has changed. */
  readonly forget: () => void;
}

/** A transaction before a write (undefined: a new one) and after it. */
export interface Change {
  readonly is: TransactionState;
  readonly was: TransactionState | undefined;
}

export function openLimitAudit(violate: Violate): LimitAudit {
  const counts = new Map<string, Counted>();
  const credits = new Map<string, bigint>();

  function setLimits(is: WalletState, was: WalletState): void {
    const { walletId } = is;
    if (versionOf(is) !== versionOf(was) + 1) violate('limits have versions', `${walletId}: ${versionOf(is)}`);
    const { creditLine = 0 } = limitsOf(is) ?? {};
    const before = credits.get(walletId) ?? 0n;
    credits.set(walletId, BigInt(creditLine) > before ? BigInt(creditLine) : before);
    if (limitsOf(is) === undefined) counts.delete(walletId);
    else if (limitsOf(was) === undefined) counts.set(walletId, none(dayOf(is)));
  }

  function count(is: WalletState, was: WalletState, limits: Limits, changes: readonly Change[]): void {
    const { walletId } = is;
    const before = counts.get(walletId) ?? (was['used'] as Counted);
    const moved = netOfLegs(changes.flatMap((change) => movementOf(walletId, change) ?? []));
    if (moved.length === 0) return;
    const sum = (direction: Direction) =>
      moved.reduce((total, one) => (one.direction === direction ? total + BigInt(one.amount) : total), 0n);
    const [out, into] = [sum('out'), sum('in')];
    for (const [direction, amount] of [
      ['out', out],
      ['in', into],
    ] as const) {
      const largest = Math.max(0, ...moved.map((one) => (one.direction === direction ? one.largest : 0)));
      if (amount === 0n) continue;
      for (const { limit, left } of exceededBy(was, direction, { amount, largest }, dayOf(is), limits, before)) {
        violate('limits hold', `${walletId}: ${limit} lets ${left} move, and ${amount} moved`);
      }
    }
    const now = onDay(before, dayOf(is));
    counts.set(walletId, {
      day: now.day,
      outDay: BigInt(now.outDay) + out,
      outMonth: BigInt(now.outMonth) + out,
      inDay: BigInt(now.inDay) + into,
      inMonth: BigInt(now.inMonth) + into,
    });
  }

  return {
    observe(is, was, changes) {
      const limits = limitsOf(was);
      if (!credits.has(is.walletId)) credits.set(is.walletId, BigInt(Number(was['mostCredit'] ?? 0)));
      if (versionOf(is) !== versionOf(was)) setLimits(is, was);
      else if (limits !== undefined) count(is, was, limits, changes);
      if (is.available < 0 && changes.some((change) => isRefundBy(is.walletId, change))) {
        violate('no credit line pays a refund', `${is.walletId} has ${is.available}`);
      }
      const expected = counts.get(is.walletId);
      if (expected !== undefined && !isDeepStrictEqual(textOf(is['used'] as Counted), textOf(expected))) {
        violate(
          'windows count what moved',
          `${is.walletId}: ${textOf(is['used'] as Counted)}, not ${textOf(expected)}`,
        );
      }
      const most = credits.get(is.walletId) ?? 0n;
      if (BigInt(Number(is['mostCredit'] ?? 0)) !== most) {
        violate('the largest credit line is kept', `${is.walletId}: ${String(is['mostCredit'])}, not ${most}`);
      }
    },
    mostCredit: (walletId) => credits.get(walletId) ?? 0n,
    forget() {
      counts.clear();
      credits.clear();
    },
  };
}

export function limitsOf(wallet: Item): Limits | undefined {
  return wallet['limits'] as Limits | undefined;
}

/** Returns the number of commands that have set the wallet's limits. */
export function versionOf(wallet: Item): number {
  return Number(wallet['limitsVersion'] ?? 0);
}

/**
 * Returns the limits of a wallet that do not allow a movement.
 *
 * @param day the day of the movement, `yyyy-mm-dd`
 */
export function exceededBy(
  wallet: WalletState,
  direction: Direction,
  { amount, largest }: { readonly amount: bigint; readonly largest: number },
  day: string,
  limits = limitsOf(wallet),
  counted = wallet['used'] as Counted | undefined,
): Exceeded[] {
  if (limits === undefined || counted === undefined) return [];
  const used = onDay(counted, day);
  const { perTransaction, perDay, perMonth } = limits[direction] ?? {};
  const [available, total] = [BigInt(wallet.available), BigInt(wallet.total)];
  const ofBalance = {
    out: [
      { limit: 'minimumBalance', most: limits.minimumBalance, left: (most: bigint) => available - most },
      { limit: 'creditLine', most: limits.creditLine, left: (most: bigint) => available + most },
    ],
    in: [{ limit: 'maximumBalance', most: limits.maximumBalance, left: (most: bigint) => most - total }],
  };
  const all = [
    { limit: `${direction}.perDay`, most: perDay, left: (most: bigint) => most - BigInt(used[`${direction}Day`]) },
    {
      limit: `${direction}.perMonth`,
      most: perMonth,
      left: (most: bigint) => most - BigInt(used[`${direction}Month`]),
    },
    ...ofBalance[direction],
  ];
  const exceeded = all.flatMap(({ limit, most, left }) =>
    most !== undefined && amount > left(BigInt(most)) ? [{ limit, left: left(BigInt(most)) }] : [],
  );
  return perTransaction !== undefined && largest > perTransaction
    ? [{ limit: `${direction}.perTransaction`, left: BigInt(perTransaction) }, ...exceeded]
    : exceeded;
}

/** What counts against the limits of a wallet. */
interface Moved {
  readonly direction: Direction;
  readonly amount: number;
  /** The largest transaction in it. */
  readonly largest: number;
  /** Whether it is a leg of a split. */
  readonly isLeg: boolean;
}

/** Returns what counts in the change of a transaction. */
function movementOf(walletId: string, { is, was }: Change): Moved | undefined {
  const { type, amount, fee = 0 } = is;
  const moved = (direction: Direction, counted: number): Moved => ({
    ...{ direction, amount: counted, largest: counted },
    isLeg: is.splitId !== undefined,
  });
  // A scheduled payment counts when it is executed.
  if (
    (was === undefined || was.status === 'scheduled') &&
    (is.executeAt === undefined || is.executedAt !== undefined)
  ) {
    const isSource = is.walletId === walletId;
    if (isSource && ['withdrawal', 'hold', 'transfer'].includes(type)) return moved('out', amount + fee);
    if (isSource && ['charge', 'collection'].includes(type)) return moved('in', amount - fee);
  }
  // A queued transfer arrives later.
  const arrives = is.status === 'completed' && was?.status !== 'completed';
  const isReceiver = is.counterpartyWalletId === walletId && ['transfer', 'capture'].includes(type);
  if (!isReceiver || !arrives) return undefined;
  return moved('in', type === 'capture' ? amount - fee : amount);
}

/** Returns movements of one write, with the legs of its split as one: of their net amount. */
function netOfLegs(moved: readonly Moved[]): readonly Moved[] {
  const legs = moved.filter(({ isLeg }) => isLeg);
  const net = legs.reduce((sum, { direction, amount }) => (direction === 'in' ? sum + amount : sum - amount), 0);
  const direction = net < 0 ? 'out' : 'in';
  const largest = Math.max(0, ...legs.map((leg) => (leg.direction === direction ? leg.largest : 0)));
  const others = moved.filter(({ isLeg }) => !isLeg);
  return net === 0 ? others : [...others, { direction, amount: Math.abs(net), largest, isLeg: true }];
}

/** Returns whether a change is a refund, no chargeback, that the wallet pays. */
function isRefundBy(walletId: string, { is, was }: Change): boolean {
  return was === undefined && is.type === 'refund' && is.chargeback !== true && is.walletId === walletId;
}

/** Returns what is used on a day, or on the latest day that counted, if that is later. */
function onDay(counted: Counted, day: string): Counted {
  if (day <= counted.day) return counted;
  if (day.slice(0, 7) !== counted.day.slice(0, 7)) return none(day);
  return { ...counted, day, outDay: 0, inDay: 0 };
}

function none(day: string): Counted {
  return { day, outDay: 0, outMonth: 0, inDay: 0, inMonth: 0 };
}

/** Returns the day of the latest change of a wallet. */
function dayOf(wallet: WalletState): string {
  return String(wallet['updatedAt']).slice(0, 10);
}

function textOf({ day, outDay, outMonth, inDay, inMonth }: Counted): string {
  return [day, outDay, outMonth, inDay, inMonth].map(String).join(' ');
}
