/** Splits as an auditor knows them: what each must have booked. It shares no code with the service. */
import { isDeepStrictEqual } from 'node:util';
import { walletLooks } from './asks.ts';
import type { Ask, Witness } from './asks.ts';
import { pricesAround } from './fees.ts';
import { transactionIdOfName, walletIdOfName } from './history.ts';
import type { LegPlan } from './history.ts';
import type { Item, TransactionState, Violate } from './items.ts';
import { exceededBy } from './limits.ts';
import type { Ledger } from './ledger.ts';
import type { Change } from './limits.ts';

/** The change that legs make to one wallet. */
interface NetPart {
  readonly walletId: string;
  /** Below 0 the wallet pays. */
  readonly net: bigint;
  /** The largest leg in the direction of the net, with the fee where the wallet pays it. */
  readonly largest: number;
  readonly pays: boolean;
}

/** Returns the change of each wallet that the legs touch. Senders pay the fees. */
function partsOf(legs: readonly LegPlan[], price: ReturnType<typeof pricesAround>[number]): NetPart[] {
  const moves = legs.flatMap(({ wallet, to, amount }) => [
    {
      walletId: walletIdOfName(wallet),
      amount: -(amount + price({ type: 'transfer', amount, currency: wallet.currency })),
    },
    { walletId: walletIdOfName(to), amount },
  ]);
  return [...Map.groupBy(moves, ({ walletId }) => walletId)].map(([walletId, own]) => {
    const net = own.reduce((sum, { amount }) => sum + BigInt(amount), 0n);
    const largest = Math.max(0, ...own.map(({ amount }) => (net < 0n ? -amount : amount)));
    return { walletId, net, largest, pays: own.some(({ amount }) => amount < 0) };
  });
}

/**
 * Checks the legs among the transactions that one write has made.
 *
 * @param wallets those that it has changed
 * @param stored all transactions after it
 */
export function checkLegs(
  changes: readonly Change[],
  wallets: readonly Item[],
  stored: readonly TransactionState[],
  violate: Violate,
): void {
  const legs = changes.flatMap(({ is, was }) => (was === undefined && is.splitId !== undefined ? [is] : []));
  const [first] = legs;
  if (first === undefined) return;
  const all = stored.filter(({ splitId }) => splitId === first.splitId);
  if (all.length !== legs.length || legs.some(({ splitId }) => splitId !== first.splitId)) {
    violate('a split is booked at once', `${String(first.splitId)}: ${legs.length} of ${all.length} legs`);
  }
  for (const { transactionId, walletId, counterpartyWalletId, sentWith, settledWith } of legs) {
    const names = new Map([
      [walletId, sentWith ?? transactionId],
      [counterpartyWalletId, settledWith ?? transactionId],
    ]);
    for (const wallet of wallets) {
      const name = names.get(String(wallet['walletId']));
      if (name !== undefined && name !== wallet['lastTransactionId']) {
        violate('a leg names its entries', `${transactionId}: ${name} in ${String(wallet['walletId'])}`);
      }
    }
  }
}

/** Checks at rest that each split that was answered has booked all its legs, and that each leg was asked for. */
export function checkSplits({ asks, ledger, violate }: Pick<Witness, 'asks' | 'ledger' | 'violate'>): void {
  const bySplit = Map.groupBy(
    ledger.transactions().filter(({ splitId }) => splitId !== undefined),
    ({ splitId }) => String(splitId),
  );
  const asked = Map.groupBy(
    asks.filter(({ route }) => route === 'split'),
    ({ step }) => transactionIdOfName(step),
  );
  for (const [splitId, own] of asked) {
    const accepted = own.filter((ask) => (ask.response?.status ?? 500) < 300 && !isTorn(ask, ledger));
    for (const ask of accepted) {
      if (!isBookedAs(ask, bySplit.get(splitId) ?? [])) violate('a split is booked as it was asked for', ask.label);
    }
  }
  for (const [splitId, legs] of bySplit) {
    const own = asked.get(splitId) ?? [];
    if (!own.some((ask) => isTorn(ask, ledger)) && !own.some((ask) => isBookedAs(ask, legs))) {
      violate('a split is booked as it was asked for', `${splitId} with ${legs.length} legs`);
    }
  }
}

/** Returns whether a restore has forgotten the record or some legs of a split. */
export function isTorn(ask: Ask, ledger: Ledger): boolean {
  const lost = ledger.restored()?.lost;
  return lost !== undefined && [transactionIdOfName(ask.step), ...legIdsOf(ask)].some((id) => lost.has(id));
}

/** Returns the ids of the legs that a request asks for. */
export function legIdsOf({ step: { action, principal, key } }: Pick<Ask, 'step'>): string[] {
  return action.do === 'split' ? action.legs.map((_, leg) => transactionIdOfName({ principal, key, leg })) : [];
}

function isBookedAs(ask: Ask, stored: readonly TransactionState[]): boolean {
  const { action } = ask.step;
  if (action.do !== 'split') return false;
  const ids = legIdsOf(ask);
  const wanted = action.legs.map(({ wallet, to, amount, reference }, n) => [
    ids[n],
    walletIdOfName(wallet),
    walletIdOfName(to),
    amount,
    reference,
  ]);
  const booked = new Map(
    stored.map(({ transactionId, walletId, counterpartyWalletId, amount, uniqueReference, externalReference }) => [
      transactionId,
      [transactionId, walletId, counterpartyWalletId, amount, uniqueReference && externalReference] as const,
    ]),
  );
  return booked.size === wanted.length && ids.every((id, n) => isDeepStrictEqual(booked.get(id), wanted[n]));
}

/**
 * Returns whether the state of that time justifies the refusal of a split; undefined for codes that are not about its
 * legs.
 *
 * @param days the days of the request, by the clocks of the service
 */
export function isJustForSplit(
  code: string,
  ask: Ask,
  { ledger, history }: Witness,
  days: readonly string[],
): boolean | undefined {
  const { action, operator, principal } = ask.step;
  if (action.do !== 'split') return undefined;
  const currencies = new Set(action.legs.flatMap(({ wallet, to }) => [wallet.currency, to.currency]));
  const parts = pricesAround(history.service.fees, ask.startedAt)
    .flatMap((price) => partsOf(action.legs, price))
    .map((part) => ({ ...part, looks: walletLooks(ledger, part.walletId, ask) }));
  const payers = parts.filter(({ pays }) => pays);
  const receivers = parts.filter(({ pays }) => !pays);
  const isFull = ({ net, looks }: (typeof parts)[number]) =>
    net > 0n &&
    looks.some((wallet) => wallet !== undefined && BigInt(wallet.total) + net > BigInt(Number.MAX_SAFE_INTEGER));
  const exceeded = ({ net, largest, looks }: (typeof parts)[number]) =>
    looks.flatMap((wallet) =>
      days.flatMap((day) => {
        if (wallet === undefined || net === 0n) return [];
        return exceededBy(wallet, net < 0n ? 'out' : 'in', { amount: net < 0n ? -net : net, largest }, day);
      }),
    );
  switch (code) {
    case 'insufficient_funds':
      return payers.some(({ net, looks }) => looks.some((wallet) => wallet && BigInt(wallet.available) < -net));
    case 'wallet_not_found':
      return (
        parts.some(({ looks }) => looks.includes(undefined)) ||
        (!operator && payers.some(({ looks }) => looks.some((wallet) => wallet?.ownerId !== principal)))
      );
    case 'wallet_frozen':
    case 'wallet_closed':
      return payers.some(({ looks }) => looks.some((wallet) => wallet?.status === code.slice('wallet_'.length)));
    case 'receiver_unavailable':
      return receivers.some(
        (part) =>
          part.looks.some((wallet) => wallet !== undefined && wallet.status !== 'active') ||
          isFull(part) ||
          exceeded(part).length > 0,
      );
    case 'balance_limit_exceeded':
      return payers.some(isFull);
    case 'limit_exceeded': {
      const { limit, left } = ask.response?.body ?? {};
      return payers
        .flatMap(exceeded)
        .some((one) => one.limit === limit && (one.left < 0n ? 0n : one.left) === BigInt(Number(left)));
    }
    case 'currency_mismatch':
      return currencies.size > 1;
    case 'same_wallet':
      return action.legs.some(({ wallet, to }) => walletIdOfName(wallet) === walletIdOfName(to));
    default:
      return undefined;
  }
}

/** Returns whether the answer to an end user who pays several wallets names the one that takes no money. */
export function namesReceiver({ step: { action, operator }, response }: Ask): boolean {
  if (action.do !== 'split' || operator || response?.body?.['code'] !== 'receiver_unavailable') return false;
  const payers = new Set(action.legs.map(({ wallet }) => walletIdOfName(wallet)));
  const receivers = new Set(action.legs.map(({ to }) => walletIdOfName(to)).filter((id) => !payers.has(id)));
  const { leg, detail = '' } = response.body;
  return receivers.size > 1 && (leg !== undefined || String(detail).includes('legs['));
}

/** Returns whether the caller may pay from all wallets of a split that was accepted. */
export function paysFromOwn(ask: Ask, { ledger }: Pick<Witness, 'ledger'>): boolean {
  const { action, principal } = ask.step;
  if (action.do !== 'split') return false;
  return action.legs.every(({ wallet }) =>
    walletLooks(ledger, walletIdOfName(wallet), ask).some((look) => look?.ownerId === principal),
  );
}
