/** The states of aliases, and of references that commands have for themselves alone, which each campaign must reach. */
import { paidByAlias, paysByAlias } from './aliases.ts';
import { codeOf } from './asks.ts';
import type { Ask } from './asks.ts';
import type { Item } from './items.ts';
import type { Remains } from './states.ts';

type Reached = (remains: Remains) => boolean;

/** Returns a function that says whether an alias, or the wallets of one, became as wanted. */
function becomes(isWanted: (is: number, was: number) => boolean): Reached {
  const walletsIn = ({ wallets }: Item) => Object.keys(wallets ?? {}).length;
  return ({ lives }) =>
    lives.some(
      (life) =>
        life[0]?.['sk'] === 'ALIAS' &&
        life.some((is, n) => isWanted(walletsIn(is), n === 0 ? 0 : walletsIn(life[n - 1] ?? {}))),
    );
}

/** Returns a function that says whether a request of this kind was refused with this code. */
function refuses(
  code: string,
  kind: Ask['step']['action']['do'],
  isWanted: (ask: Ask) => boolean = () => true,
): Reached {
  return ({ asks }) =>
    asks.some(
      (ask) =>
        ask.step.action.do === kind && ask.response !== undefined && codeOf(ask.response) === code && isWanted(ask),
    );
}

const isAtOnce = ({ step: { action } }: Ask) =>
  action.do === 'transfer' && paysByAlias(action) && !action.queued && action.executeAt === undefined;

/** Returns whether the answer is that of an earlier request, which was made when its alias had another wallet, or one. */
function isOfAnotherTime(ask: Ask, { transactions, ledger }: Remains): boolean {
  const { response } = ask;
  if (response?.headers['Idempotency-Replayed'] !== 'true') return false;
  const stored = transactions.find(({ transactionId }) => transactionId === response.body?.['transactionId']);
  const now = paidByAlias(ask, ledger);
  return stored !== undefined && now !== undefined && !now.includes(String(stored.counterpartyWalletId));
}

export const aliasStates = {
  'an alias is taken': becomes((is, was) => was === 0 && is > 0),
  'an alias is removed from a wallet': becomes((is, was) => was > 0 && is < was),
  'an alias moves to another wallet': ({ lives }) =>
    lives.some((life) => {
      const wallets = life.flatMap((is) =>
        is['sk'] === 'ALIAS' ? Object.entries((is['wallets'] ?? {}) as Record<string, string>) : [],
      );
      return new Set(wallets.map(([, id]) => id)).size > new Set(wallets.map(([currency]) => currency)).size;
    }),
  'an alias is not taken, as another wallet or owner has it': refuses('alias_unavailable', 'change-wallet'),
  'an alias is not taken, as its owner has taken three': refuses('too_many_aliases', 'change-wallet'),
  'a transfer by an alias is booked': ({ transactions }) =>
    transactions.some(({ to, type, queued, status }) => {
      return to !== undefined && type === 'transfer' && queued === undefined && status === 'completed';
    }),
  'a transfer is refused as its alias has no wallet that takes money': refuses(
    'receiver_unavailable',
    'transfer',
    isAtOnce,
  ),
  'a transfer by the alias of its own wallet is refused': refuses('same_wallet', 'transfer', ({ step }) =>
    paysByAlias(step.action),
  ),
  'a queued transfer by an alias arrives': ({ transactions }) =>
    transactions.some(({ to, queued, status }) => to !== undefined && queued === true && status === 'completed'),
  'a queued transfer by an alias fails': ({ transactions }) =>
    transactions.some(({ to, queued, status }) => to !== undefined && queued === true && status === 'failed'),
  'a hold by an alias is captured': ({ transactions }) =>
    transactions.some(({ to, captured = 0 }) => to !== undefined && captured > 0),
  'a payment for later by an alias is executed': ({ transactions }) =>
    transactions.some((one) => one.to !== undefined && one.executedAt !== undefined),
  'a standing order pays by an alias': ({ transactions }) =>
    transactions.some((one) => one.to !== undefined && one.standingOrderId !== undefined),
  'a payment by an alias is refunded': ({ transactions }) =>
    transactions.some(({ to, refunded = 0 }) => to !== undefined && refunded > 0),
  'a payment by an alias is repeated after the alias has changed': (remains) =>
    remains.asks.some((ask) => isOfAnotherTime(ask, remains)),
  'a split is refused as the reference of a leg is taken': refuses('reference_taken', 'split'),
  'a capture is refused as its reference is taken': refuses('reference_taken', 'capture'),
  'a line of a batch is refused as its reference is taken': ({ lives }) =>
    lives.some((life) => (life[0]?.['refusal'] as { readonly code?: string } | undefined)?.code === 'reference_taken'),
  'a leg of a split has a reference alone': ({ transactions }) =>
    transactions.some(({ splitId, uniqueReference }) => splitId !== undefined && uniqueReference === true),
  'a line of a batch has a reference alone': ({ transactions }) =>
    transactions.some(({ batchId, uniqueReference }) => batchId !== undefined && uniqueReference === true),
  'a capture has a reference alone': ({ transactions }) =>
    transactions.some(({ type, uniqueReference }) => type === 'capture' && uniqueReference === true),
  'transactions are found by a reference': ({ asks }) =>
    asks.some(
      ({ step, response }) =>
        step.action.do === 'find-transactions' &&
        response?.status === 200 &&
        (response.body?.['items'] as readonly unknown[]).length > 0,
    ),
} as const satisfies Record<string, Reached>;
