/** Aliases as an auditor knows them. */
import { aliasKey, takenAliasesKey } from '../../lambdas/store/keys.ts';
import { missingWalletId } from '../../lambdas/domain/ids.ts';
import { walletLooks } from './asks.ts';
import type { Ask, Witness } from './asks.ts';
import { transactionIdOfName, walletIdOfName } from './history.ts';
import type { Action, WalletName } from './history.ts';
import type { Item, Violate, WalletState } from './items.ts';
import type { ServiceEvent } from '../../lambdas/views/event-schemas.ts';
import type { Ledger } from './ledger.ts';
import { isOfWebhooks } from './webhook-steps.ts';

/** The names of histories that no owner can take. */
const reserved: ReadonlySet<string> = new Set(['bank']);
const most = 3;

/** An action that names its receiver by an alias. */
type PaysByAlias = Extract<Action, { readonly alias?: string; readonly amount: number }> & {
  readonly wallet: WalletName;
  readonly alias: string;
};

/** Returns the one name of an alias, however it is written. */
function nameOf(alias: string): string {
  const letters = alias.replace(/[._]/g, '').toLowerCase();
  return letters.replace(/0/g, 'o').replace(/1/g, 'l');
}

/** Returns the states of an alias in the time of a request. */
function aliasLooks(alias: string, { from, to }: Pick<Ask, 'from' | 'to'>, ledger: Ledger): (Item | undefined)[] {
  const { pk, sk } = aliasKey(nameOf(alias));
  return ledger.looks(pk, sk, from, to);
}

function walletOf(look: Item | undefined, currency: string): string | undefined {
  return (look?.['wallets'] as Readonly<Record<string, string>> | undefined)?.[currency];
}

/** Returns whether a request names its receiver by an alias. */
export function paysByAlias(action: Action): action is PaysByAlias {
  return !isOfWebhooks(action) && 'amount' in action && 'alias' in action;
}

/**
 * Returns the wallets that a payment by an alias may have been fixed to: those that the alias had in the time of the request.
 */
export function paidByAlias(ask: Ask, ledger: Ledger): string[] | undefined {
  const { action } = ask.step;
  if (!paysByAlias(action)) return undefined;
  const { currency } = action.wallet;
  const missing = missingWalletId(currency, nameOf(action.alias));
  return aliasLooks(action.alias, ask, ledger).map((look) => walletOf(look, currency) ?? missing);
}

/**
 * Returns whether a stored payment has the receiver that its request named.
 *
 * @param canLackAlias whether its record may not show the alias
 */
export function paysAsNamed(
  { to, counterpartyWalletId }: { readonly to?: unknown; readonly counterpartyWalletId?: unknown },
  ask: Ask,
  ledger: Ledger,
  canLackAlias = false,
): boolean {
  const { action } = ask.step;
  if (paysByAlias(action)) {
    const isPaid = paidByAlias(ask, ledger)?.some((walletId) => walletId === counterpartyWalletId) ?? false;
    return isPaid && (to === `@${action.alias.toLowerCase()}` || (canLackAlias && to === undefined));
  }
  const named = 'to' in action ? walletIdOfName(action.to) : undefined;
  return named === counterpartyWalletId && to === undefined;
}

/** Returns whether the state of that time justifies the refusal of a change of an alias; undefined for other refusals. */
export function isJustByAlias(code: string, ask: Ask, { ledger }: Witness): boolean | undefined {
  const { action } = ask.step;
  if (action.do !== 'change-wallet') return undefined;
  const { wallet, alias } = action;
  const walletId = walletIdOfName(wallet);
  const owners = walletLooks(ledger, walletId, ask).map((look) => look?.ownerId);
  const isOwned = (look: Item | undefined) => owners.includes(look?.['ownerId'] as string | undefined);
  const looks = typeof alias === 'string' ? aliasLooks(alias, ask, ledger) : [];
  switch (code) {
    case 'alias_unavailable':
      if (typeof alias !== 'string' || tookAll(owners, ask.from, ask.from, looks.filter(isOwned), ledger)) return false;
      return (
        reserved.has(nameOf(alias)) ||
        looks.some((look) => {
          const held = walletOf(look, wallet.currency);
          return look !== undefined && (!isOwned(look) || (held !== undefined && held !== walletId));
        })
      );
    case 'too_many_aliases':
      if (typeof alias !== 'string') return false;
      return tookAll(owners, ask.from, ask.to, [], ledger) || countsAll(owners, nameOf(alias), ask, ledger);
    // Another change of the wallet or of an alias was faster.
    case 'busy':
      return isChanged(ask, walletId, ledger) ? true : undefined;
    default:
      return undefined;
  }
}

/** Returns whether an owner has taken as many aliases as it can, and none of them is this one. */
function tookAll(
  owners: readonly unknown[],
  from: number,
  to: number,
  own: readonly (Item | undefined)[],
  ledger: Ledger,
): boolean {
  const taken = ledger
    .keys()
    .filter(({ sk }) => sk === 'ALIAS')
    .filter(({ pk, sk }) => ledger.looks(pk, sk, from, to).some((look) => look && owners.includes(look['ownerId'])));
  return own.length === 0 && taken.length >= most;
}

/** Returns whether an owner counts as many aliases as it can, of which a restore has forgotten some, and not this one. */
function countsAll(owners: readonly unknown[], name: string, { from, to }: Ask, ledger: Ledger): boolean {
  if (ledger.restored() === undefined) return false;
  return owners.some((ownerId) =>
    ledger.looks(takenAliasesKey(String(ownerId)).pk, 'ALIASES', from, to).some((look) => {
      const names = look?.['aliases'];
      return names instanceof Set && names.size >= most && !names.has(name);
    }),
  );
}

/** Returns whether the details of a wallet or any alias changed in the time of a request. */
function isChanged({ from, to }: Ask, walletId: string, ledger: Ledger): boolean {
  return ledger
    .keys()
    .filter(({ pk, sk }) => sk === 'ALIAS' || pk === `DETAILS#${walletId}`)
    .some(({ pk, sk }) => ledger.looks(pk, sk, from, to).length > 1);
}

/**
 * Returns whether a wallet had the alias that it was to have, or none, at some time of a request, and the one that the
 * answer shows: the wallet is read after the write, when another change may have followed.
 */
export function hadAlias({ step: { action }, ...ask }: Ask, shown: unknown, ledger: Ledger): boolean {
  if (action.do !== 'change-wallet' || action.alias === undefined) return true;
  const { wallet, alias } = action;
  const walletId = walletIdOfName(wallet);
  const isOf = (look: Item | undefined) => walletOf(look, wallet.currency) === walletId;
  const looks = ledger.looks(`DETAILS#${walletId}`, 'DETAILS', ask.from, ask.to);
  const had = (one: unknown) => looks.some((look) => look?.['alias'] === one);
  const isSet = alias === null ? had(undefined) : aliasLooks(alias, ask, ledger).some(isOf);
  return isSet && had(shown);
}

/** Returns whether the answer to a payer by an alias shows a wallet that it could not know. */
export function showsReceiver({ step, response, ...ask }: Ask, { ledger }: Pick<Witness, 'ledger'>): boolean {
  const { action, operator, principal } = step;
  if (operator || !paysByAlias(action)) return false;
  const text = JSON.stringify(response?.body ?? {});
  const known = (wallet: WalletState | undefined) => wallet?.ownerId === principal;
  return [...new Set(paidByAlias({ step, ...ask }, ledger))].some(
    (walletId) => text.includes(walletId) && !walletLooks(ledger, walletId, { step, ...ask }).some(known),
  );
}

/**
 * Checks at rest that no alias ever changed its owner, that each of its wallets is of that owner, that exactly the wallets
 * that show it have it, and that no owner took too many.
 */
export function checkAliases(ledger: Ledger, violate: Violate): void {
  const owners = new Map(ledger.wallets().map(({ walletId, ownerId }) => [walletId, ownerId]));
  const aliases = ledger.latest().filter(({ sk }) => sk === 'ALIAS');
  // A restore tears details and aliases apart, and forgets owners that no event has shown.
  const isTorn = ledger.restored() !== undefined;
  for (const { pk, sk, ...last } of aliases) {
    const looks = isTorn ? [last] : ledger.looks(String(pk), String(sk), 0, Infinity);
    const all = new Set(looks.flatMap((look) => (look === undefined ? [] : [look['ownerId']])));
    if (all.size > 1) violate('an alias has one owner for ever', `${String(pk)}: ${[...all].join(', ')}`);
    for (const look of looks) {
      const strange = walletsIn(look).find((walletId) => owners.get(walletId) !== look?.['ownerId']);
      if (strange !== undefined) violate('an alias pays wallets of its owner', `${String(pk)}: ${strange}`);
    }
  }
  if (isTorn) return;
  for (const { sk, ...details } of ledger.latest()) {
    if (sk !== 'DETAILS') continue;
    const walletId = String(details['walletId']);
    const own = aliases.filter((one) => walletsIn(one).includes(walletId)).map((one) => nameOf(String(one['alias'])));
    // Another wallet of its owner may have written it in another way since.
    const shown = typeof details['alias'] === 'string' ? [nameOf(details['alias'])] : [];
    if (own.join() !== shown.join()) violate('an alias pays the wallets that show it', `${walletId}: ${own.join()}`);
  }
  for (const [ownerId, own] of Map.groupBy(aliases, (one) => one['ownerId'])) {
    if (own.length > most) violate('an owner takes three aliases at most', `${String(ownerId)} has ${own.length}`);
  }
}

/**
 * Checks after a recovery that each alias in its events is of that owner, or named, and that none pays a wallet whose last event
 * shows it without that alias.
 */
export function checkRecoveredAliases(
  ledger: Ledger,
  events: readonly ServiceEvent[],
  isNamed: (subject: string) => boolean,
  violate: Violate,
): void {
  const changes = events.filter((event) => event.type === 'wallet.changed');
  for (const { details, ownerId } of changes) {
    const { alias } = details;
    if (alias === undefined || isNamed(`@${alias}`)) continue;
    const owner = aliasLooks(alias, { from: Infinity, to: Infinity }, ledger)[0]?.['ownerId'];
    if (owner !== ownerId) violate('a recovery keeps aliases for their owners', `@${alias} is of ${String(owner)}`);
  }
  for (const item of ledger.latest().filter(({ sk }) => sk === 'ALIAS')) {
    for (const walletId of walletsIn(item)) {
      const own = changes.filter(({ details }) => details.walletId === walletId).map(({ details }) => details);
      const last = own.toSorted((one, other) => one.version - other.version).at(-1);
      if (last === undefined || nameOf(last.alias ?? '') === nameOf(String(item['alias']))) continue;
      violate('a removed alias pays no wallet after a recovery', `${String(item['pk'])}: ${walletId}`);
    }
  }
}

function walletsIn(look: Item | undefined): string[] {
  return Object.values((look?.['wallets'] ?? {}) as Readonly<Record<string, string>>);
}

/** Checks at rest that each standing order pays the receiver that its request named. */
export function checkReceivers({ asks, ledger, violate }: Pick<Witness, 'asks' | 'ledger' | 'violate'>): void {
  const orders = ledger.latest().filter(({ sk }) => sk === 'ORDER');
  const opened = asks.filter(({ step }) => step.action.do === 'open-standing-order');
  for (const order of orders) {
    const id = String(order['standingOrderId']).replace('so_', 'tx_');
    const sent = opened.filter(({ step }) => transactionIdOfName(step) === id);
    if (!sent.some((ask) => paysAsNamed(order, ask, ledger))) violate('an order pays as it was asked to', id);
  }
}
