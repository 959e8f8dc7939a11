/** Mutations of the limits of wallets: their conditions, their windows, and the commands that set them. */
import { mutation } from '../mutation.ts';
import type { Mutation } from '../mutation.ts';

const domain = 'lambdas/domain/limits.ts';
const limits = 'lambdas/store/wallet-limits.ts';
const refunds = 'lambdas/store/refunds.ts';
const terms = 'lambdas/store/limit-terms.ts';

export const limitMutations: readonly Mutation[] = [
  mutation(
    'believe a hint about limits',
    terms,
    "'limits = :limits',",
    "'(limits = :limits OR limits <> :limits)',",
    'withdraw when the limit was lowered',
  ),
  mutation(
    'take a wallet for one without limits when there is no hint',
    terms,
    'if: `attribute_not_exists(limits) AND ${',
    'if: `${',
    'withdraw over a limit',
  ),
  mutation(
    'compare the amount with the limit of the day, and not with what is left',
    terms,
    '[`left${name}`]: minus(most, amount)',
    '[`left${name}`]: most',
    'withdraw over a limit',
  ),
  mutation(
    'begin a day again that another process has begun',
    terms,
    'used.#day >= :month AND used.#day < :day',
    'used.#day >= :month AND used.#day <= :day',
    'withdraw before and after midnight, side by side',
  ),
  mutation(
    'keep the windows of the day before',
    domain,
    'return day > latest ? day : latest;',
    'return latest;',
    'withdraw before and after midnight',
  ),
  mutation(
    'open the windows of the day before again',
    domain,
    'return day > latest ? day : latest;',
    'return day;',
    'withdraw at midnight, by different clocks',
  ),
  mutation(
    'forget what left in the month when a day begins',
    terms,
    'used.${other}Day = :none${addToMonth}`',
    'used.${other}Day = :none, ${ofMonthName} = :amount`',
    'withdraw before and after midnight',
  ),
  mutation(
    'let a credit line go further',
    domain,
    'return limits?.minimumBalance ?? -(limits?.creditLine ?? 0);',
    'return limits?.minimumBalance ?? -2 * (limits?.creditLine ?? 0);',
    'withdraw on credit',
  ),
  mutation(
    'forget the largest credit line',
    limits,
    '(attribute_not_exists(mostCredit) OR mostCredit <= :credit)',
    '(attribute_not_exists(mostCredit) OR mostCredit <> :zero)',
    'set a credit line, and a smaller one',
  ),
  mutation(
    'set limits over those of another operator',
    limits,
    "'limitsVersion = :expected'",
    "'(limitsVersion = :expected OR limitsVersion <> :expected)'",
    'set limits of a version that is no more',
  ),
  {
    name: 'limit what a refund takes',
    edits: [
      { file: refunds, text: 'creditRefund, debitRefund }', replacement: 'creditRefund, debit }' },
      { file: refunds, text: ': debitRefund(table, payment)', replacement: ': debit(table, payment)' },
    ],
    operation: 'refund a transfer between limited wallets',
  },
  {
    name: 'limit what a refund brings',
    edits: [
      { file: refunds, text: 'creditRefund, debitRefund }', replacement: 'creditReceiver, debitRefund }' },
      { file: refunds, text: '[creditRefund(table, {', replacement: '[creditReceiver(table, {' },
    ],
    operation: 'refund a transfer between limited wallets',
  },
  {
    name: 'pay a refund on credit',
    edits: [
      {
        file: 'lambdas/store/movements.ts',
        text: "if: 'available >= :amount',",
        replacement: "if: '(available >= :amount OR available < :amount)',",
      },
    ],
    operation: 'refund a transfer that was spent, with a credit line',
  },
  {
    name: 'fail all transfers of a group that is over a limit',
    edits: [
      {
        file: 'lambdas/workers/transfers.ts',
        text: 'fitting.length > 0',
        replacement: 'fitting.length > group.length',
      },
    ],
    test: 'test/store/wallet-limits.test.ts',
  },
];
