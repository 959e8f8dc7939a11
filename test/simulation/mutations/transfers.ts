/** Mutations of transfers between wallets. */
import { mutation } from '../mutation.ts';
import type { Mutation } from '../mutation.ts';

const transfers = 'lambdas/store/transfers.ts';

export const transferMutations: readonly Mutation[] = [
  mutation(
    'credit without marking the transfers',
    transfers,
    '...group.map((transfer) =>',
    '...group.slice(1).map((transfer) =>',
  ),
  mutation(
    'spread a crowd over the history without marking the wallet',
    transfers,
    '(isCrowd ? creditCrowd : credit)(table, {',
    'credit(table, {',
  ),
  mutation(
    'read the history of a crowded wallet without its last part',
    'lambdas/store/history-keys.ts',
    'Array.from({ length: crowdParts }, (_, part)',
    'Array.from({ length: crowdParts - 1 }, (_, part)',
  ),
  mutation(
    'credit transfers that have ended',
    transfers,
    "if: '#type = :transfer AND #status = :pending',",
    "if: '#type = :transfer OR #status = :pending',",
    'transfer later, to a slow worker',
  ),
  mutation(
    'give back more than was taken',
    transfers,
    'giveBack(table, { ...transfer, amount: withFee(transfer), at }),',
    'giveBack(table, { ...transfer, amount: withFee(transfer) + 1, at }),',
  ),
];
