/** Mutations of the client of the bank and of its keys. */
import { mutation } from '../mutation.ts';
import type { Mutation } from '../mutation.ts';

const client = 'lambdas/bank/client.ts';
const answers = 'lambdas/bank/answers.ts';
const secret = 'lambdas/bank/secret.ts';

export const bankMutations: readonly Mutation[] = [
  mutation('submit however late', client, 'if (Date.now() > beginBy)', 'if (Number.isNaN(beginBy))'),
  mutation(
    'believe the bank whatever amount it names',
    answers,
    "return body['amount'] === payment.amount && body['currency'] === payment.currency",
    "return body['reference'] === payment.reference",
  ),
  mutation(
    'believe a refusal of any payment',
    answers,
    "return misfit === undefined && body['code'] === notAccepted",
    "return body['code'] === notAccepted",
  ),
  mutation(
    'take a lost connection for one that never was',
    answers,
    'return answer.sent ? unknown(answer.lost)',
    'return answer.sent && answer.lost === String() ? unknown(answer.lost)',
  ),
  mutation(
    'keep a key for ever',
    'lambdas/aws/keep.ts',
    'if (mayRead && (wantsReload || ageMs >= staleAfterMs))',
    'if (mayRead && wantsReload)',
  ),
  {
    name: 'accept the key before the current one for ever',
    edits: [
      { file: secret, text: 'overlapEndsAt > at ? await', replacement: 'overlapMs > 0 ? await' },
      { file: secret, text: 'previous === undefined || now() >= overlapEndsAt', replacement: 'previous === undefined' },
    ],
  },
  mutation(
    'sign with the current key only',
    client,
    'for (const other of others) {',
    'for (const other of others.slice(keys.length)) {',
  ),
];
