/** Commands of the store as the handlers compose them, with keys and wallets that no other test uses. */
import { currencyOfWalletId, fingerprintOf, transactionIdOf } from '../../lambdas/domain/ids.ts';
import { charge as newCharge } from '../../lambdas/domain/transaction.ts';
import { queuedTransfer as newQueuedTransfer, transfer as newTransfer } from '../../lambdas/domain/transfer.ts';
import { withdrawal as newWithdrawal } from '../../lambdas/domain/withdrawal.ts';
import type { Annotations, Attempt, Destination } from '../../lambdas/domain/transaction.ts';
import type { Wallet, WalletStatus } from '../../lambdas/domain/wallet.ts';
import type { Operation } from '../../lambdas/store/operations.ts';
import type { RateLimit } from '../../lambdas/store/rate-window.ts';
import type { Table } from '../../lambdas/store/table.ts';
import { commitCharge } from '../../lambdas/store/charges.ts';
import { acceptTransfer, commitTransfer } from '../../lambdas/store/transfers.ts';
import { acceptWithdrawal, claimWithdrawal } from '../../lambdas/store/withdrawals.ts';
import { createWallet, getWallet, setWalletStatus } from '../../lambdas/store/wallets.ts';
import type { Claimed } from '../../lambdas/store/withdrawals.ts';

let keys = 0;

/** Returns an unused key. */
export function newKey(): string {
  return `key-${String(++keys)}`;
}

export const destination: Destination = { account: 'DE02120300000000202051', name: 'Ann Example' };

export interface Command extends Annotations {
  /** The caller; the operator by default. */
  readonly owner?: string;
  readonly key?: string;
  readonly amount: number;
  /** The currency of the command; the wallet's own by default. */
  readonly currency?: string;
  readonly rate?: RateLimit;
}

const operator = 'operator-1';

function factsOf(table: Table, walletId: string, command: Command) {
  const { owner, key = newKey(), rate, ...request } = command;
  const principal = owner ?? operator;
  return {
    ...request,
    transactionId: transactionIdOf(principal, key),
    principal,
    ownerId: owner,
    walletId,
    currency: command.currency ?? currencyOfWalletId(walletId) ?? 'XXX',
    at: new Date(table.now()).toISOString(),
  };
}

export function charge(table: Table, walletId: string, command: Command) {
  return commitCharge(table, newCharge(factsOf(table, walletId, command)), print('charge', walletId, command));
}

export async function withdraw(
  table: Table,
  walletId: string,
  command: Command & { readonly destination?: Destination },
) {
  const wanted = newWithdrawal({ destination, ...factsOf(table, walletId, command) });
  const accepted = await acceptWithdrawal(table, wanted, print('withdraw', walletId, command), command.rate);
  const { transaction, replayed } = accepted;
  if (transaction.type !== 'withdrawal') throw new Error(`not a withdrawal: ${transaction.transactionId}`);
  return { transaction, replayed };
}

export function transfer(table: Table, walletId: string, toWalletId: string, command: Command) {
  const transaction = newTransfer({ ...factsOf(table, walletId, command), toWalletId });
  const fingerprint = print('transfer', walletId, command, toWalletId);
  return commitTransfer(table, transaction, fingerprint, command.rate);
}

export async function queueTransfer(table: Table, walletId: string, toWalletId: string, command: Command) {
  const wanted = newQueuedTransfer({ ...factsOf(table, walletId, command), toWalletId });
  const accepted = await acceptTransfer(table, wanted, print('transfer', walletId, command, toWalletId), command.rate);
  const { transaction, replayed } = accepted;
  if (transaction.type !== 'transfer') throw new Error(`not a transfer: ${transaction.transactionId}`);
  return { transaction, replayed };
}

/** Returns an operation as a handler states it, by the operator unless an owner is named. */
export function operation(
  table: Table,
  request: unknown,
  of: { readonly owner?: string | undefined; readonly key?: string | undefined } = {},
): Operation {
  return {
    kind: of.owner === undefined ? 'operator' : 'owner',
    principal: of.owner ?? operator,
    idempotencyKey: of.key ?? newKey(),
    fingerprint: fingerprintOf(request),
    at: new Date(table.now()).toISOString(),
  };
}

/** Opens an empty wallet of an owner. Returns its id. */
export async function openWallet(table: Table, owner: string, currency = 'EUR'): Promise<string> {
  const request = { ownerId: owner, currency, rate: undefined };
  const { wallet } = await createWallet(table, operation(table, ['create-wallet', request], { owner }), request);
  return wallet.walletId;
}

/** Opens a wallet with money. Returns its id. */
export async function fundedWallet(table: Table, owner: string, amount: number, currency = 'EUR'): Promise<string> {
  const walletId = await openWallet(table, owner, currency);
  await charge(table, walletId, { amount });
  return walletId;
}

export function setStatus(table: Table, walletId: string, status: WalletStatus, key?: string) {
  return setWalletStatus(table, operation(table, [status, walletId], { key }), { walletId, status });
}

/** Accepts a withdrawal of 30 from a wallet with 100. */
export async function acceptedWithdrawal(table: Table): Promise<{ walletId: string; transactionId: string }> {
  const walletId = await fundedWallet(table, 'ann', 100);
  const { transaction } = await withdraw(table, walletId, { owner: 'ann', amount: 30 });
  return { walletId, transactionId: transaction.transactionId };
}

/** Returns a visit to the bank at this moment. */
export function visit(table: Table, outcome: Attempt['outcome'], reason?: string): Attempt {
  const at = new Date(table.now()).toISOString();
  return { at, submitted: true, outcome, ...(reason !== undefined && { reason }) };
}

/** The bank that withdrawals are submitted to. */
export const bankId = 'bank.example.com';

/** Claims a withdrawal for 40 s, of which a submit may take 10. */
export function claim(table: Table, transactionId: string, claimId = newKey()) {
  const at = table.now();
  const iso = (ms: number) => new Date(ms).toISOString();
  const times = { at: iso(at), leaseUntil: iso(at + 40_000), submitBy: iso(at + 10_000) };
  return claimWithdrawal(table, transactionId, { claimId, bankId, ...times });
}

/** Claims a withdrawal as the worker that ends it. Fails unless the claim succeeds. */
export async function claimed(table: Table, transactionId: string): Promise<Claimed> {
  const claimId = newKey();
  const result = await claim(table, transactionId, claimId);
  if (!result.claimed) throw new Error(`${transactionId} is not to be had`);
  return { withdrawal: result.before, claimId, at: new Date(table.now()).toISOString() };
}

/** Returns the current balance of a wallet. */
export async function balanceOf(table: Table, walletId: string): Promise<Pick<Wallet, 'available' | 'held' | 'total'>> {
  const wallet = await getWallet(table, walletId, { consistent: true });
  if (wallet === undefined) throw new Error(`no wallet ${walletId}`);
  const { available, held, total } = wallet;
  return { available, held, total };
}

function print(name: string, walletId: string, { owner, key, rate, ...request }: Command, toWalletId?: string): string {
  return fingerprintOf([name, walletId, toWalletId, request]);
}
