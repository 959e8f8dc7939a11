/** Mutations of fees: who pays them, when they come back, and how they are collected. */
import { mutation } from '../mutation.ts';
import type { Mutation } from '../mutation.ts';

const transfers = 'lambdas/store/transfers.ts';

export const feeMutations: readonly Mutation[] = [
  mutation(
    'debit a transfer without its fee',
    transfers,
    'const sender = movement(transaction, withFee(transaction));',
    'const sender = movement(transaction);',
    'transfer with a fee',
  ),
  mutation(
    'pay the fee of a transfer to its receiver',
    transfers,
    'const receiver = { ...movement(transaction), walletId',
    'const receiver = { ...sender, walletId',
    'transfer with a fee',
  ),
  mutation(
    'keep the fee of a transfer that failed',
    transfers,
    'giveBack(table, { ...transfer, amount: withFee(transfer), at }),',
    'giveBack(table, { ...transfer, at }),',
    'transfer later with a fee to a frozen wallet',
  ),
  mutation(
    'end a withdrawal without its fee',
    'lambdas/store/withdrawal-update.ts',
    'amount: withFee(withdrawal), at, decidedBy',
    'at, decidedBy',
    'withdraw with a fee, rejected',
  ),
  mutation(
    'credit a charge with its fee',
    'lambdas/store/charges.ts',
    'movement(transaction, withoutFee(transaction))',
    'movement(transaction)',
    'charge with a fee',
  ),
  mutation(
    'take the fee of a capture from its payer',
    'lambdas/domain/hold.ts',
    '{ account: held, amount: -paid.amount },',
    '{ account: held, amount: -paid.amount - (paid.fee ?? 0) },',
    'capture with a fee',
  ),
  mutation(
    'round a share down',
    'lambdas/domain/fee.ts',
    'BigInt(basisPoints) + whole / 2n) / whole',
    'BigInt(basisPoints)) / whole',
    'transfer an amount with a half of a unit as its fee',
  ),
  mutation(
    'collect fees that were collected',
    'lambdas/domain/collection.ts',
    'const left = paid - BigInt(collected);',
    'const left = paid;',
    'collect fees twice',
  ),
  mutation(
    'collect fees without their record',
    'lambdas/store/fees.ts',
    '[putFeeState(table, before, after), ...ofCollection]',
    '[...ofCollection]',
    'collect fees',
  ),
];
