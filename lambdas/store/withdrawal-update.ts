/** The parts of the updates that change the record of a withdrawal, of claims and of verdicts. */
import { withFee } from '../domain/fee.ts';
import type { Actor } from '../domain/actor.ts';
import type { Withdrawal } from '../domain/transaction.ts';
import type { Attempt, Failure } from '../domain/transaction-record.ts';
import { releasePostings, settlePostings } from '../domain/withdrawal.ts';
import { transactionKey } from './keys.ts';
import { releaseHold, settleHold } from './movements.ts';
import type { Table } from './table.ts';
import { update } from './write.ts';
import type { Item } from './write.ts';

/** A change of the record: the parts of its update, and the visits to add. */
export interface Change {
  readonly set: string;
  readonly values: Item;
  readonly attempts?: readonly Attempt[];
}

/** Members that only open work has. */
export const endOfWork = 'dueShard, dueAt, claimId, submitBy, refusedSince, waitingFor';
/** No bank has the payment of a rejected withdrawal, so its record names none. */
export const endOfRejected = `${endOfWork}, bankId`;

/** Returns the parts of the update that ends a withdrawal, and the item that ends its hold in the wallet. */
export function ending(
  table: Table,
  { withdrawal, at, endedBy }: { withdrawal: Withdrawal; at: string; endedBy?: Actor | undefined },
  failure?: Failure,
) {
  const movement = { ...withdrawal, amount: withFee(withdrawal), at, decidedBy: endedBy?.principal };
  const end = 'completedAt = :at, postings = list_append(postings, :postings)';
  return failure === undefined
    ? {
        set: `#status = :completed, ${end}`,
        values: { completed: 'completed', postings: settlePostings(withdrawal) },
        wallet: settleHold(table, movement),
      }
    : {
        set: `#status = :failed, failure = :failure, ${end}`,
        values: { failed: 'failed', failure, postings: releasePostings(withdrawal) },
        wallet: releaseHold(table, movement),
      };
}

/** Returns the update of a transaction, which also records the visits to the bank. */
export function transactionUpdate(
  table: Table,
  transactionId: string,
  change: Change & { remove: string; if: string },
) {
  const { attempts = [] } = change;
  const recorded = attempts.length === 0 ? '' : ', attempts = list_append(if_not_exists(attempts, :none), :attempts)';
  return update(table, transactionKey(transactionId), {
    set: `${change.set}${recorded}, updatedAt = :at`,
    remove: change.remove,
    if: change.if,
    values: { ...change.values, ...(attempts.length > 0 && { none: [], attempts }) },
  });
}
