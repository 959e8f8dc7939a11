import type { WalletError } from '../domain/errors.ts';
import { withoutFee } from '../domain/fee.ts';
import type { Charge } from '../domain/transaction.ts';
import { commit, movement } from './commit.ts';
import type { Committed } from './commit.ts';
import { credit } from './movements.ts';
import type { Table } from './table.ts';
import type { WriteItem } from './write.ts';

/**
 * Books a charge: one write, 5 write units. The wallet gets what the fee leaves.
 *
 * @param overLimit the refusal of an amount over the operator's limit, or by its fee; when given, only a replay is answered
 * @param approval the items that end the charge's approval, where it has one
 * @throws WalletError `wallet_not_found`, `wallet_frozen`, `wallet_closed`, `currency_mismatch`,
 * `balance_limit_exceeded`, `limit_exceeded`, `idempotency_key_reused`, `busy`, or `overLimit`
 */
export function commitCharge(
  table: Table,
  transaction: Charge,
  fingerprint: string,
  overLimit?: WalletError,
  approval: readonly WriteItem[] = [],
): Promise<Committed> {
  const changes = [...approval, credit(table, movement(transaction, withoutFee(transaction)))];
  const isApproved = approval.length > 0;
  return commit(table, transaction, fingerprint, changes, { items: [] }, { overLimit, isApproved });
}
