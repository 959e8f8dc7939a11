/** Mutations of split payments: their legs, their net changes, their owners, and their entries. */
import { mutation } from '../mutation.ts';
import type { Mutation } from '../mutation.ts';

const splits = 'lambdas/store/splits.ts';
const domain = 'lambdas/domain/split.ts';
const booksTest = 'test/store/split-books.test.ts';

export const splitMutations: readonly Mutation[] = [
  mutation(
    'leave out the record of the first leg',
    splits,
    '...split.legs.map((leg) => putLeg',
    '...split.legs.slice(1).map((leg) => putLeg',
    'split',
  ),
  mutation(
    'change a wallet by its first leg alone',
    domain,
    'const net = sums.reduce((sum, change) => sum + change, 0);',
    'const net = first.change;',
    'split',
  ),
  mutation(
    "pay a leg from another owner's wallet that gets more",
    splits,
    'return pays ? credit(table, movement) : asUnavailable(',
    'Object.assign(movement, { ownerId: undefined }); return asUnavailable(',
    'split from a wallet of another owner that gets more',
  ),
  mutation(
    "pay through another owner's wallet whose legs cancel out",
    splits,
    'return checkWallet(table, { walletId, ownerId, currency });',
    'return checkWallet(table, { walletId, ownerId: undefined, currency });',
    'split from the wallet of another owner',
  ),
  mutation(
    'tell a payer which of several receivers takes no money',
    splits,
    'receivers.size > 1',
    'receivers.size > 9',
    'split to several wallets, one of them frozen',
  ),
  mutation(
    'make legs without their fees',
    domain,
    "fee: feeOf(fees, 'transfer', { amount: leg.amount, currency }) }",
    'fee: 0 }',
    'split with fees twice with one key',
  ),
  mutation(
    'debit the sender of a leg without its fee',
    domain,
    'change: -withFee(transfer)',
    'change: -transfer.amount',
    'split with fees twice with one key',
  ),
  mutation(
    'pay the fee of a leg to its receiver',
    domain,
    'change: transfer.amount, isByAlias',
    'change: withFee(transfer), isByAlias',
    'split with fees twice with one key',
  ),
  mutation(
    'book the legs of a split again under another id',
    splits,
    'return putRecord(table, { ...transactionKey(splitId), ...record });',
    'return putRecord(table, { ...transactionKey(`${splitId}${createdAt}`), ...record });',
    'split twice with one key',
  ),
  {
    ...mutation(
      'answer a lost leg with what was asked for',
      splits,
      'if (transaction !== undefined && isSameLeg(transaction, leg)) return transaction;',
      'if (transaction === undefined || isSameLeg(transaction, leg)) return leg;',
    ),
    test: 'test/store/splits.test.ts',
  },
  {
    ...mutation(
      'name the entry of a wallet by another leg than the wallet does',
      domain,
      '[[walletId, legIdOf(splitId, first.leg)] as const]',
      '[[walletId, legIdOf(splitId, second.leg)] as const]',
    ),
    test: booksTest,
  },
  {
    ...mutation(
      'list a leg under its sender alone',
      'lambdas/store/journal.ts',
      'return [first, ...sharing].map(',
      'return [first, ...sharing].slice(0, 1).map(',
    ),
    test: booksTest,
  },
  {
    ...mutation(
      'put a leg back without its shared entry',
      'lambdas/domain/bookings.ts',
      "return isReceiver && transaction.status === 'completed' ? transaction.settledWith : undefined;",
      'return isReceiver && transaction.type === String() ? transaction.settledWith : undefined;',
    ),
    test: 'test/store/recover-splits.test.ts',
  },
];
