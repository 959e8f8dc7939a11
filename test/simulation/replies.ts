/** What a bank of the simulation answers. */
import type { Payment } from '../../lambdas/bank/answers.ts';
import type { Send } from '../../lambdas/bank/connection.ts';

export type Decision = 'none' | 'paid' | 'rejected';
export type Reply = Awaited<ReturnType<Send>>;
/** What the protocol says of a payment. */
export type Facts = Pick<Payment, 'reference' | 'amount' | 'currency'>;

/** Answers that decide nothing by the protocol, although they may differ from a decision in one part only. */
export const garbage: readonly ((about: Facts) => Reply)[] = [
  () => reply(404, {}),
  () => reply(404, { code: 'payment_not_found', message: 'whose?' }),
  () => reply(422, { code: 'unprocessable', message: 'says a proxy' }),
  () => reply(200, { reference: 'tx_other', status: 'paid', amount: 1, currency: 'EUR' }),
  () => reply(200, { reference: 'tx_other', status: 'rejected', code: 'account_closed', message: 'closed' }),
  () => ({ status: 502, text: '<html>Bad gateway</html>' }),
  () => ({ status: 201, text: '{"reference": "tx_' }),
  (about) => reply(200, { ...about, amount: about.amount + 1, status: 'paid' }),
  (about) => reply(422, { ...rejectionOf(about), amount: about.amount + 1 }),
  (about) => reply(422, { ...rejectionOf(about), amount: undefined }),
  (about) => reply(422, { ...rejectionOf(about), currency: 'XTS' }),
  (about) => reply(503, { ...about, reference: 'tx_other', code: 'not_accepted', message: 'later' }),
  (about) => reply(429, { ...about, amount: about.amount + 1, code: 'not_accepted', message: 'later' }),
  () => reply(503, { code: 'not_accepted', message: 'later' }),
];

function rejectionOf({ reference, amount, currency }: Facts) {
  return { reference, status: 'rejected', amount, currency, code: 'account_closed', message: 'closed' };
}

/** Returns the body that reports a decision. */
export function receipt({ payment, decision }: { payment: Payment; decision: Decision }) {
  const { reference, amount, currency } = payment;
  if (decision === 'rejected') return rejectionOf(payment);
  return { reference, status: decision === 'paid' ? 'paid' : 'processing', amount, currency };
}

export function reply(status: number, body: object): Reply {
  return { status, text: JSON.stringify(body) };
}
