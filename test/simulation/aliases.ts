/** Aliases as an auditor knows them. */
import { aliasKey } from '../../lambdas/store/keys.ts';
import { walletIdOfNobody } from '../../lambdas/domain/ids.ts';
import { walletLooks } from './asks.ts';
import type { Ask, Witness } from './asks.ts';
import { walletIdOfName } from './history.ts';
import type { Item, Violate } from './items.ts';
import type { Ledger } from './ledger.ts';

/** Returns the states of an alias in the time of a request. */
function aliasLooks(alias: string, { from, to }: Ask, ledger: Ledger): (Item | undefined)[] {
  const { pk, sk } = aliasKey(alias);
  return ledger.looks(pk, sk, from, to);
}

function walletOf(look: Item | undefined, currency: string): string | undefined {
  return (look?.['wallets'] as Readonly<Record<string, string>> | undefined)?.[currency];
}

/** Returns the wallets that a payment by an alias may have reached: those that it had in the time of the request. */
export function paidByAlias(ask: Ask, ledger: Ledger): string[] | undefined {
  const { action } = ask.step;
  if (action.do !== 'transfer' || action.alias === undefined) return undefined;
  const { currency } = action.wallet;
  const nobody = walletIdOfNobody(currency, action.alias);
  return aliasLooks(action.alias, ask, ledger).map((look) => walletOf(look, currency) ?? nobody);
}

/** Returns whether the state of that time justifies a refusal that is about an alias; undefined for others. */
export function isJustByAlias(code: string, ask: Ask, { ledger }: Witness): boolean | undefined {
  const { action, principal, operator } = ask.step;
  const paid = paidByAlias(ask, ledger);
  if (paid !== undefined && action.do === 'transfer') {
    if (code === 'same_wallet') return paid.includes(walletIdOfName(action.wallet));
    if (code !== 'receiver_unavailable') return undefined;
    return paid.some((walletId) => walletLooks(ledger, walletId, ask).some((wallet) => wallet?.status !== 'active'));
  }
  if (action.do !== 'change-wallet' || typeof action.alias !== 'string') return undefined;
  const looks = aliasLooks(action.alias, ask, ledger);
  const walletId = walletIdOfName(action.wallet);
  switch (code) {
    case 'alias_unavailable':
      return looks.some((look) => {
        const held = walletOf(look, action.wallet.currency);
        const isOthers = look !== undefined && look['ownerId'] !== principal && !operator;
        return isOthers || (held !== undefined && held !== walletId);
      });
    // Another change of the alias was faster.
    case 'busy':
      return looks.length > 1 ? true : undefined;
    default:
      return undefined;
  }
}

/** Returns whether a wallet had this alias, or none, at some time of a request. */
export function hadAlias({ step: { action }, ...ask }: Ask, shown: unknown, ledger: Ledger): boolean {
  if (action.do !== 'change-wallet' || action.alias === undefined) return true;
  const { wallet, alias = null } = action;
  const isOf = (name: string) =>
    aliasLooks(name, { ...ask, step: { action } } as Ask, ledger).some(
      (look) => walletOf(look, wallet.currency) === walletIdOfName(wallet),
    );
  return alias === null ? shown === undefined : shown !== undefined && isOf(alias);
}

/**
 * Checks at rest that no alias ever changed its owner, that each of its wallets is of that owner, and that exactly the
 * wallets that show it have it.
 */
export function checkAliases(ledger: Ledger, violate: Violate): void {
  const owners = new Map(ledger.wallets().map(({ walletId, ownerId }) => [walletId, ownerId]));
  const shown = new Map<unknown, unknown>(
    ledger.latest().flatMap((item) => (item.sk === 'DETAILS' ? [[item['walletId'], item['alias']]] : [])),
  );
  for (const { pk, sk, ...last } of ledger.latest().filter((item) => item.sk === 'ALIAS')) {
    for (const walletId of Object.values((last['wallets'] ?? {}) as Record<string, string>)) {
      if (shown.get(walletId) !== last['alias']) {
        violate('an alias pays the wallets that show it', `${String(pk)}: ${walletId}`);
      }
    }
    const looks = ledger.looks(String(pk), String(sk), 0, Infinity).filter((look) => look !== undefined);
    const all = new Set(looks.map((look) => look['ownerId']));
    if (all.size > 1) violate('an alias has one owner for ever', `${String(pk)}: ${[...all].join(', ')}`);
    for (const look of looks) {
      for (const walletId of Object.values((look['wallets'] ?? {}) as Record<string, string>)) {
        if (owners.get(walletId) === look['ownerId']) continue;
        violate('an alias pays wallets of its owner', `${String(pk)}: ${walletId}`);
      }
    }
  }
}
