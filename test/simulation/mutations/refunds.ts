/** Mutations of refunds: their caps, their ways, their rights, and chargebacks. */
import { mutation } from '../mutation.ts';
import type { Mutation } from '../mutation.ts';

const refunds = 'lambdas/store/refunds.ts';
const domain = 'lambdas/domain/refund.ts';
const wallets = 'lambdas/store/wallets.ts';

export const refundMutations: readonly Mutation[] = [
  mutation(
    'refund more than the original moved',
    refunds,
    '(attribute_not_exists(refunded) OR refunded <= :room)',
    '(attribute_not_exists(refunded) OR refunded <= :room OR refunded > :room)',
    'refund parts, side by side',
  ),
  mutation(
    'refund without the sum of the original',
    refunds,
    '      originalUpdate(table, seen, facts, refund),\n',
    '',
    'refund a transfer',
  ),
  mutation(
    'forget the ids of earlier refunds',
    refunds,
    'list_append(if_not_exists(refunds, :none), :refund)',
    'list_append(:none, :refund)',
    'refund in parts',
  ),
  mutation(
    'count a refund as one minor unit',
    refunds,
    'amount: refund.amount, refund:',
    'amount: 1, refund:',
    'refund a transfer',
  ),
  mutation(
    'refund a transfer that is on its way',
    domain,
    "return transaction.status === 'completed';",
    'return true;',
    'refund a queued transfer that failed',
  ),
  mutation(
    'pay the refund of a charge back to its wallet',
    domain,
    "return original.type === 'charge' ? undefined : original.walletId;",
    'return original.walletId;',
    'refund a charge',
  ),
  mutation(
    'let the payer refund',
    'lambdas/http/refundable.ts',
    'if (await isOnlyPayer(table, caller, visible)) {',
    'if (transactionId === String()) {',
    'refund for the payer, and for a stranger',
  ),
  {
    name: 'let owners refund charges',
    edits: [
      {
        file: 'lambdas/http/refundable.ts',
        text: "caller.kind === 'owner' && transaction.type === 'charge'",
        replacement: 'transactionId === String()',
      },
      // The owner of a charged wallet counts as the payer.
      {
        file: 'lambdas/http/visible.ts',
        text: 'if (receiverId === undefined) return true;',
        replacement: 'if (receiverId === undefined) return false;',
      },
    ],
    operation: 'refund a charge for its wallet',
  },

  mutation(
    'refund below zero without a chargeback',
    refunds,
    'refund.chargeback ? chargeBack(table, payment) : debitRefund(table, payment)',
    'chargeBack(table, payment)',
    'refund a charge that was spent',
  ),
  mutation(
    'charge back a transfer',
    domain,
    "if (chargeback && type !== 'charge')",
    "if (chargeback && type !== 'charge' && type !== 'transfer')",
    'charge back a transfer',
  ),
  mutation(
    'charge back without the sum of the wallet',
    'lambdas/store/movements.ts',
    '`chargedBack = if_not_exists(chargedBack, :zero) + :amount, ${stamp}`',
    '`chargedBack = if_not_exists(chargedBack, :zero), ${stamp}`',
    'charge back',
  ),
  {
    name: 'close a wallet whose held money makes up for its debt',
    edits: [{ file: wallets, text: "'#total = :zero AND held = :zero AND ", replacement: "'#total = :zero AND " }],
    operation: 'charge back what is held, and close',
  },
];
