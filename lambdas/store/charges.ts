import type { WalletError } from '../domain/errors.ts';
import type { Charge } from '../domain/transaction.ts';
import { commit, movement } from './commit.ts';
import type { Committed } from './commit.ts';
import { credit } from './movements.ts';
import type { Table } from './table.ts';

/**
 * Books a charge: one write, 5 write units.
 *
 * @param overLimit the refusal of an amount over the operator's limit; when given, only a replay is answered
 * @throws WalletError `wallet_not_found`, `wallet_frozen`, `wallet_closed`, `currency_mismatch`,
 * `balance_limit_exceeded`, `limit_exceeded`, `idempotency_key_reused`, `busy`, or `overLimit`
 */
export function commitCharge(
  table: Table,
  transaction: Charge,
  fingerprint: string,
  overLimit?: WalletError,
): Promise<Committed> {
  const changes = [credit(table, movement(transaction))];
  return commit(table, transaction, fingerprint, changes, { items: [] }, { overLimit });
}
