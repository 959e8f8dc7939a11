/** Mutations of standing orders: their payments, and their cancel. */
import { mutation } from '../mutation.ts';
import type { Mutation } from '../mutation.ts';

const orders = 'lambdas/store/standing-orders.ts';
const domain = 'lambdas/domain/standing-order.ts';
const routes = 'lambdas/api/standing-orders.ts';

export const orderMutations: readonly Mutation[] = [
  mutation(
    'make a payment of a standing order without counting it',
    orders,
    'const changes = [schedule(table, movement(payment), { ends }), advance];',
    'const changes = [schedule(table, movement(payment), { ends })];',
    'open a standing order',
  ),
  mutation(
    'make a payment of a standing order that was cancelled',
    orders,
    'AND #status = :active AND made = :seen`',
    'AND (#status = :active OR #status <> :active) AND made = :seen`',
    'cancel a standing order while it schedules a payment',
  ),
  mutation(
    'leave the payments of a cancelled standing order scheduled',
    orders,
    "return isPayment && payment.status === 'scheduled' ? [payment] : [];",
    "return isPayment && payment.status === 'scheduled' && payment.amount < 0 ? [payment] : [];",
    'cancel a standing order that has scheduled a payment',
  ),
  mutation(
    'count the payments of a cancelled standing order as scheduled',
    orders,
    '{ payments: payments.length, order: true }',
    '{ payments: 0, order: true }',
    'cancel a standing order that has scheduled a payment',
  ),
  mutation(
    'open more standing orders than a wallet can have',
    'lambdas/store/wallet-counts.ts',
    'OR orders < :most)',
    'OR orders <= :most)',
    'open more standing orders than a wallet can have',
  ),
  {
    ...mutation(
      'open a standing order for a wallet with as many scheduled payments as it can have',
      'lambdas/store/wallet-counts.ts',
      'OR scheduled < :mostScheduled)',
      'OR scheduled <= :mostScheduled)',
    ),
    test: 'test/store/standing-order-caps.test.ts',
  },
  mutation(
    'count a standing order as active that has made its last payment',
    'lambdas/store/wallet-counts.ts',
    "ofOrder?.ends ? endsOrder : ''",
    "ofOrder?.ends === false ? endsOrder : ''",
    'pay a standing order',
  ),
  mutation(
    'make one payment of a standing order too many',
    domain,
    'if (count !== undefined && n >= count) return undefined;',
    'if (count !== undefined && n > count) return undefined;',
    'pay a standing order',
  ),
  mutation(
    'never make a payment of a standing order',
    'lambdas/workers/sweeper.ts',
    'attempt(run, () => makeDuePayments(run, startedAt + transfersMs));',
    'attempt(run, () => Promise.resolve(makeDuePayments));',
    'open a standing order',
  ),
  mutation(
    'go on with the standing order of a wallet that is closed',
    orders,
    "if (error.code !== 'wallet_closed') throw error;",
    "if (error.code === 'wallet_closed') return false;",
    'open a standing order and close its wallet',
  ),
  mutation(
    'let anyone cancel a standing order',
    routes,
    '  if (wallet === undefined || !reaches(caller, wallet)) throw',
    '  if (wallet === undefined) throw',
    'cancel a standing order for others',
  ),
  {
    ...mutation(
      'count the months of a standing order from the payment before',
      domain,
      ': monthsAfter(firstAt, n);',
      ': monthsAfter(monthsAfter(firstAt, Math.max(0, n - 1)), Math.min(n, 1));',
    ),
    test: 'test/domain/standing-order.test.ts',
  },
  {
    ...mutation(
      'submit a payment to a bank that is closed',
      'lambdas/workers/consult-bank.ts',
      '      untilOpening(withdrawal, services) ??\n',
      '',
    ),
    test: 'test/store/bank-closed.test.ts',
  },
  {
    ...mutation(
      'let a withdrawal grow older while the bank is closed',
      'lambdas/workers/sweeper.ts',
      'hours.openMs(Date.parse(oldestAt), databaseTime(run)) / 1000',
      'secondsSince(oldestAt)',
    ),
    test: 'test/store/bank-closed.test.ts',
  },
];
