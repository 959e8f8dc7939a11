/** Items of the table as an auditor knows them, and the rules that each change of one must keep. */
import { isDeepStrictEqual } from 'node:util';
import { reviewShard, waitingShard } from '../../lambdas/store/due-keys.ts';

/** An item as JavaScript values. */
export type Item = Readonly<Record<string, unknown>>;

export interface WalletState extends Item {
  readonly walletId: string;
  readonly ownerId: string;
  readonly currency: string;
  readonly status: string;
  // Returned money may lift these figures beyond 2^53-1.
  readonly available: number | bigint;
  readonly held: number | bigint;
  readonly total: number | bigint;
  readonly version: number;
  readonly chargedBack?: number | bigint;
  readonly scheduled?: number;
  readonly orders?: number;
}

export interface TransactionState extends Item {
  readonly transactionId: string;
  readonly type: 'charge' | 'withdrawal' | 'transfer' | 'return' | 'hold' | 'capture' | 'refund' | 'collection';
  readonly status: 'scheduled' | 'pending' | 'executing' | 'completed' | 'failed' | 'review' | 'open' | 'ended';
  readonly amount: number;
  readonly currency: string;
  readonly walletId: string;
  readonly to?: string;
  readonly counterpartyWalletId?: string;
  readonly postings: readonly { readonly account: string; readonly amount: number }[];
  readonly queued?: true;
  readonly splitId?: string;
  readonly sentWith?: string;
  readonly settledWith?: string;
  readonly principal: string;
  readonly ownerId?: string;
  readonly externalReference?: string;
  readonly uniqueReference?: true;
  readonly capturedBy?: 'owner' | 'operator';
  readonly originalTransactionId?: string;
  readonly returnTransactionId?: string;
  readonly dueAt?: string;
  readonly dueShard?: string;
  readonly attempts?: readonly {
    readonly submitted: boolean;
    readonly outcome: string;
    readonly reason?: string;
  }[];
  readonly bankId?: string;
  readonly failure?: { readonly code: string };
  readonly claimId?: string;
  readonly waitingFor?: string;
  readonly createdAt: string;
  readonly completedAt?: string;
  readonly expiresAt?: string;
  readonly executeAt?: string;
  readonly standingOrderId?: string;
  readonly executedAt?: string;
  readonly captured?: number;
  readonly refunded?: number;
  readonly refunds?: readonly string[];
  readonly chargeback?: true;
  readonly end?: string;
  readonly fee?: number;
  readonly sequence?: number;
  readonly collected?: number;
}

/** Reports a violation: the broken rule, and the evidence. */
export type Violate = (rule: string, detail: string) => void;

/** Checks a change of a wallet; `credit`: how far below zero it may be, besides its chargebacks. */
export function checkWallet(is: WalletState, was: WalletState | undefined, credit: bigint, violate: Violate): void {
  const { walletId, available, held, total, version, chargedBack = 0 } = is;
  const figures = [available, held, total, version, chargedBack];
  const areWhole = figures.every((figure) => typeof figure === 'bigint' || Number.isSafeInteger(figure));
  if (!areWhole || held < 0 || version < 0 || BigInt(available) < -BigInt(chargedBack) - credit) {
    violate('never negative, but on credit', `${walletId} has ${figures.join(', ')}`);
  } else if (BigInt(total) !== BigInt(available) + BigInt(held)) {
    violate('total', `${walletId}: ${total} is not ${available} + ${held}`);
  }
  checkDebt(is, was, violate);
  if (version !== (was?.version ?? -1) + 1) {
    violate('version counts changes', `${walletId} went from ${was?.version ?? 'nothing'} to ${version}`);
  }
  if (was?.status === 'closed' && is.status !== 'closed' && (is.status !== 'active' || was.total === 0)) {
    violate('closed is closed, unless money came back', walletId);
  }
  if (is.status === 'closed' && was?.status !== 'closed' && (total !== 0 || held !== 0 || (is.scheduled ?? 0) !== 0)) {
    violate('closed at zero', walletId);
  }
  if (is.status === 'closed' && (is.scheduled ?? 0) > (was?.scheduled ?? 0)) {
    violate('nothing is scheduled from a closed wallet', walletId);
  }
  if (was !== undefined && (was.ownerId !== is.ownerId || was.currency !== is.currency)) {
    violate('owner and currency stay', walletId);
  }
}

/** Checks that only a chargeback takes more than there is and a credit line allows, and that its sum shows it. */
function checkDebt(is: WalletState, was: WalletState | undefined, violate: Violate): void {
  const more = BigInt(is.chargedBack ?? 0) - BigInt(was?.chargedBack ?? 0);
  const taken = BigInt(was?.available ?? 0) - BigInt(is.available);
  const { creditLine: credit = 0 } = (was?.['limits'] ?? {}) as { readonly creditLine?: number };
  if (more < 0n || (more > 0n && more !== taken) || (is.available < -credit && taken > 0n && more === 0n)) {
    violate('only chargebacks and credit lines go below zero', `${is.walletId}: ${more} charged back, ${taken} taken`);
  }
}

const lasting = ['type', 'amount', 'currency', 'walletId', 'counterpartyWalletId', 'to', 'destination', 'fingerprint'];
const authorship = [
  'standingOrderId',
  'principal',
  'ownerId',
  'createdAt',
  'queued',
  'splitId',
  'originalTransactionId',
  'externalReference',
  'uniqueReference',
  'expiresAt',
  ...['executeAt', 'reason', 'refundedBy', 'chargeback', 'fee', 'sequence', 'collected', 'batchId'],
];
const next: Record<TransactionState['status'], readonly TransactionState['status'][]> = {
  scheduled: ['pending', 'failed'],
  pending: ['executing', 'completed', 'failed'],
  executing: ['completed', 'failed', 'review'],
  review: ['completed', 'failed'],
  completed: [],
  failed: [],
  open: ['ended'],
  ended: [],
};

/** The index partition of each status, in which workers or an operator find the work. */
const shardOf: Readonly<Record<TransactionState['status'], string>> = {
  scheduled: 'DUE#',
  pending: 'DUE#',
  executing: 'DUE#',
  review: reviewShard,
  completed: 'none',
  failed: 'none',
  open: 'DUE#h',
  ended: 'none',
};

/** Checks a change of a transaction. */
export function checkTransaction(is: TransactionState, was: TransactionState | undefined, violate: Violate): void {
  const id = `${is.type} ${is.transactionId}`;
  if (is.postings.reduce((sum, { amount }) => sum + BigInt(amount), 0n) !== 0n) violate('postings sum to zero', id);
  const expected = netOf(is);
  const booked = new Map<string, bigint>();
  for (const { account, amount } of is.postings) booked.set(account, (booked.get(account) ?? 0n) + BigInt(amount));
  for (const account of new Set([...booked.keys(), ...expected.keys()])) {
    if ((booked.get(account) ?? 0n) !== (expected.get(account) ?? 0n)) {
      violate('postings fit the status', `${id}, ${is.status}: ${account} is ${booked.get(account) ?? 0n}`);
    }
  }
  const shard = is.dueShard ?? 'none';
  const expectedShard = is.waitingFor === undefined ? shardOf[is.status] : waitingShard;
  if ((is.dueAt === undefined) !== (is.dueShard === undefined) || !shard.startsWith(expectedShard)) {
    violate('open work is due, and nothing else', `${id} is ${is.status}, due ${is.dueAt ?? 'never'} in ${shard}`);
  }
  if (is.waitingFor !== undefined && (is.status !== 'executing' || is.claimId !== undefined)) {
    violate('only open work waits', `${id} is ${is.status}`);
  }
  checkSchedule(is, was, violate);
  if (was === undefined) return;
  if (was.status !== is.status && !next[was.status].includes(is.status)) {
    violate('status goes forward', `${id} from ${was.status} to ${is.status}`);
  }
  if (!isDeepStrictEqual(is.postings.slice(0, was.postings.length), was.postings)) violate('the journal stays', id);
  for (const field of [...lasting, ...authorship]) {
    if (!isDeepStrictEqual(is[field], was[field])) violate('the journal stays', `${field} of ${id}`);
  }
}

/** Checks the times of a payment that was scheduled. The time of its execution is that of its first booking. */
function checkSchedule(is: TransactionState, was: TransactionState | undefined, violate: Violate): void {
  const { status, executeAt, executedAt } = is;
  const says = `${is.type} ${is.transactionId} is ${status}, for ${executeAt ?? 'now'}, executed ${executedAt ?? 'never'}`;
  const isExecuted = is.postings.length > 0;
  if (executeAt !== undefined && (executedAt !== undefined) !== isExecuted) violate('executed is booked', says);
  if ((status === 'scheduled' && executeAt === undefined) || (executeAt === undefined && executedAt !== undefined)) {
    violate('only what was scheduled is executed', says);
  }
  if (executedAt !== undefined && executedAt < (executeAt ?? '')) violate('nothing is executed before its time', says);
  if (was?.executedAt !== undefined && was.executedAt !== executedAt) violate('the journal stays', says);
  const isNow = was !== undefined && was.executedAt === undefined && executedAt !== undefined;
  if (isNow && (executedAt !== is['updatedAt'] || is['historyKey'] !== `${executedAt}#${is.transactionId}`)) {
    violate('a payment is executed when its record says', says);
  }
}

/** Returns the change of each account that a transaction in its status must have made. */
function netOf(transaction: TransactionState): Map<string, bigint> {
  const { type, status, currency, walletId, counterpartyWalletId } = transaction;
  const [amount, fee] = [BigInt(transaction.amount), BigInt(transaction.fee ?? 0)];
  const from = `wallet:${walletId}:available`;
  const moved = (debited: string, credited: string) =>
    new Map([
      [debited, -amount],
      [credited, amount],
    ]);
  if (type === 'hold' || type === 'capture') return netOfHold(transaction);
  if (type === 'charge') {
    return new Map([[`external:${currency}`, -amount], [from, amount - fee], ...earned(currency, fee)]);
  }
  if (type === 'return') return moved(`external:${currency}`, from);
  if (type === 'collection') return moved(`collected:${currency}`, from);
  if (type === 'refund') {
    return moved(
      from,
      counterpartyWalletId === undefined ? `external:${currency}` : `wallet:${counterpartyWalletId}:available`,
    );
  }
  if (status === 'failed' || status === 'scheduled') return new Map();
  const isWithdrawal = type === 'withdrawal';
  if (status !== 'completed') {
    // The fee goes with the amount, and may come back with it.
    const waiting = isWithdrawal ? `wallet:${walletId}:held` : `transit:${currency}`;
    return new Map([
      [from, -amount - fee],
      [waiting, amount + fee],
    ]);
  }
  const to = isWithdrawal ? `external:${currency}` : `wallet:${String(counterpartyWalletId)}:available`;
  return new Map([[from, -amount - fee], [to, amount], ...earned(currency, fee)]);
}

/** Returns the change of the account of fees. */
function earned(currency: string, fee: bigint): [string, bigint][] {
  return fee === 0n ? [] : [[`fees:${currency}`, fee]];
}

/** Returns the same for a hold, which gives back what was not captured, and for a capture. */
function netOfHold(transaction: TransactionState): Map<string, bigint> {
  const { type, currency, walletId, counterpartyWalletId, amount, captured = 0, end, fee = 0 } = transaction;
  const [available, held] = [`wallet:${walletId}:available`, `wallet:${walletId}:held`];
  if (type === 'hold') {
    const isReturned = end === 'released' || end === 'expired';
    const left = BigInt(isReturned ? captured : amount);
    return new Map([
      [available, -left],
      [held, left],
    ]);
  }
  // Only the hold shows how much a final capture gives back: see `checkHold`.
  const rest = returnedBy(transaction);
  return new Map([
    [held, -BigInt(amount) - rest],
    [available, rest],
    [
      counterpartyWalletId === undefined ? `external:${currency}` : `wallet:${counterpartyWalletId}:available`,
      BigInt(amount) - BigInt(fee),
    ],
    ...earned(currency, BigInt(fee)),
  ]);
}

function returnedBy({ walletId, postings }: TransactionState): bigint {
  const returned = postings.filter(({ account }) => account === `wallet:${walletId}:available`);
  return returned.reduce((sum, { amount }) => sum + BigInt(amount), 0n);
}

/** Checks a hold against its captures. */
export function checkHold(hold: TransactionState, captures: readonly TransactionState[], violate: Violate): void {
  const { transactionId, amount, captured = 0, end, expiresAt = '' } = hold;
  const taken = captures.reduce((sum, capture) => sum + BigInt(capture.amount), 0n);
  const returned = captures.reduce((sum, capture) => sum + returnedBy(capture), 0n);
  const says = `${transactionId} of ${amount}: ${captured} captured, end ${end ?? 'none'}`;
  if (taken > BigInt(amount)) violate('captured within the hold', `${says}, and its captures took ${taken}`);
  if (taken !== BigInt(captured) || returned !== (end === 'captured' ? BigInt(amount) - taken : 0n)) {
    violate('a hold is what its captures left', `${says}, its captures took ${taken} and gave back ${returned}`);
  }
  for (const { transactionId: id, createdAt } of captures) {
    if (createdAt >= expiresAt) violate('nothing is captured after the expiry', `${id} of ${says} at ${createdAt}`);
  }
}

/** Checks a transaction against its refunds. */
export function checkRefunded(original: TransactionState, made: readonly TransactionState[], violate: Violate): void {
  const { transactionId, type, status, amount, walletId, counterpartyWalletId, refunded = 0, refunds = [] } = original;
  const sum = made.reduce((total, refund) => total + BigInt(refund.amount), 0n);
  const says = `${type} ${transactionId} of ${amount}: ${refunded} refunded by ${refunds.length}`;
  if (sum > BigInt(amount)) violate('refunded within the amount', `${says}, and its refunds gave back ${sum}`);
  const ids = made.map((refund) => refund.transactionId);
  if (sum !== BigInt(refunded) || !isDeepStrictEqual([...refunds].sort(), ids.sort())) {
    violate('an original is what its refunds gave back', `${says}, and ${ids.length} refunds gave back ${sum}`);
  }
  if (made.length === 0) return;
  const isPaid = counterpartyWalletId !== undefined && status === 'completed';
  if (type !== 'charge' && !(isPaid && ['transfer', 'capture'].includes(type))) {
    violate('only what a wallet received is refunded', `${says}, ${status}`);
  }
  const [giver, receiver] = type === 'charge' ? [walletId, undefined] : [counterpartyWalletId, walletId];
  for (const refund of made) {
    if (refund.walletId !== giver || refund.counterpartyWalletId !== receiver) {
      violate('a refund goes the way that the money came', `${refund.transactionId} of ${says}`);
    }
    if (refund.chargeback && type !== 'charge') violate('only charges are charged back', says);
  }
}
