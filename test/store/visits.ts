/** Accepted withdrawals, and the visits of workers to the bank for them. */
import type { Attempt, Failure } from '../../lambdas/domain/transaction-record.ts';
import type { Table } from '../../lambdas/store/table.ts';
import { claimWithdrawal } from '../../lambdas/store/withdrawal-claims.ts';
import type { Claimed } from '../../lambdas/store/withdrawal-claims.ts';
import { newKey, timeOf, withdraw } from './commands.ts';
import { fundedWallet } from './wallets.ts';

/** Accepts a withdrawal of 30 from a wallet with 100. */
export async function acceptedWithdrawal(table: Table): Promise<{ walletId: string; transactionId: string }> {
  const walletId = await fundedWallet(table, 'ann', 100);
  const { transaction } = await withdraw(table, walletId, { owner: 'ann', amount: 30 });
  return { walletId, transactionId: transaction.transactionId };
}

/** Returns a visit to the bank at this moment. */
export function visit(table: Table, outcome: Attempt['outcome'], reason?: string): Attempt {
  const at = timeOf(table);
  return { at, submitted: true, outcome, ...(reason !== undefined && { reason }) };
}

/** The bank that withdrawals are submitted to. */
export const bankId = 'bank.example.com';

/** The reason for which it rejects a payment. */
export const accountClosed: Failure = { code: 'account_closed', message: 'The account is closed' };

/** Claims a withdrawal for 40 s, of which a submit may take 10. */
export function claim(table: Table, transactionId: string, claimId = newKey()) {
  const times = { at: timeOf(table), leaseUntil: timeOf(table, 40_000), submitBy: timeOf(table, 10_000) };
  return claimWithdrawal(table, transactionId, { claimId, bankId, ...times });
}

/** Claims a withdrawal as the worker that ends it. Fails unless the claim succeeds. */
export async function claimed(table: Table, transactionId: string): Promise<Claimed> {
  const claimId = newKey();
  const result = await claim(table, transactionId, claimId);
  if (!result.claimed) throw new Error(`${transactionId} is not to be had`);
  return { withdrawal: result.before, claimId, at: timeOf(table) };
}
