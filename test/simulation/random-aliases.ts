/** Random aliases: owners take them, move them and give them up, and payers name receivers by them. */
import { between, chance, choose } from './chance.ts';
import type { Action, History, Step, WalletName } from './history.ts';
import { isOfWebhooks } from './webhook-steps.ts';

interface Owned extends WalletName {
  readonly owner: string;
}

/** The names that each owner wants first, as it may write them. The second name is every owner's wish. */
const wishes = {
  alice: ['alice', 'shop', 'Alice_1', 'a.lice'],
  bob: ['bob', 'shop', 'bob.builder', 'BobBuilder'],
  carol: ['carol', 'shop', 'carol_c', 'Shop.2'],
} as const;
/** Names that are wanted beyond an owner's three, of others, or reserved. */
const others = ['corner', 'bob', 'bank', 'S.hop', 'garden'] as const;
const untaken = 'not.taken.yet';

/** Returns some histories with aliases, and the others as they are. */
export function withAliases(history: History): History {
  const { seed, steps, restore } = history;
  // A table that was put back without a recovery forgets who took an alias, and another owner can take it.
  if ((restore !== undefined && restore.recovery === undefined) || chance(seed, 'aliases') >= 0.3) return history;
  const wallets = steps.flatMap(({ principal, operator, key, action }): Owned[] =>
    action.do === 'create-wallet' && (!operator || action.owner !== undefined)
      ? [{ principal, key, currency: action.currency, owner: action.owner ?? principal }]
      : [],
  );
  const last = Math.max(...steps.map(({ at }) => at));
  const paid = steps.map((step) => ({ ...step, action: byAlias(seed, wallets, step) }));
  // The wallet of the revenue has no alias.
  const named = wallets.filter(({ owner }) => namesOf(owner).length > 0);
  const changes = named.flatMap((wallet, n) => changesOf(seed, named, wallet, n, last));
  return { ...history, steps: [...paid, ...changes, ...payments(seed, named, last), ...moves(seed, named, last)] };
}

/** Returns a history without aliases. */
export function withoutAliases({ steps, ...history }: History): History {
  const kept = steps.filter(({ action }) => action.do !== 'change-wallet');
  return { ...history, steps: kept.map((step) => ({ ...step, action: withoutAlias(step.action) })) };
}

function withoutAlias(action: Action): Action {
  if (isOfWebhooks(action) || action.do === 'change-wallet' || !('alias' in action)) return action;
  const { alias, ...rest } = action;
  return rest;
}

/** Returns the action of a step, which names its receiver by an alias or not: steps with one key do the same. */
function byAlias(seed: string, wallets: readonly Owned[], { principal, key, action }: Step): Action {
  const canPay = action.do === 'transfer' || action.do === 'open-hold' || action.do === 'open-standing-order';
  if (!canPay || action.to === undefined || chance(seed, 'by alias', principal, key) >= 0.75) return action;
  const draw = chance(seed, 'alias', principal, key);
  if (draw < 0.08) return { ...action, alias: untaken };
  const owner = wallets.find((wallet) => wallet.key === action.to?.key)?.owner ?? '';
  const names = namesOf(owner);
  // Mostly the first name, which its owner takes first.
  const nth = draw < 0.6 ? 0 : between(0, 2, seed, 'which alias', principal, key);
  const name = names[nth];
  if (name === undefined) return action;
  return { ...action, alias: chance(seed, 'spelled', principal, key) < 0.2 ? name.toUpperCase() : name };
}

function namesOf(owner: string): readonly string[] {
  return (wishes as Readonly<Record<string, readonly string[]>>)[owner] ?? [];
}

/** Returns the changes of a wallet's alias: most wallets take one at first, and some move it or give it up later. */
function changesOf(seed: string, wallets: readonly Owned[], wallet: Owned, nth: number, last: number): Step[] {
  // Some want more than an owner can take.
  const collects = chance(seed, 'collects', nth) < 0.1;
  const count = collects ? 6 : between(0, 2, seed, 'changes', nth);
  const early = chance(seed, 'alias first', nth) < 0.75;
  return Array.from({ length: early ? Math.max(1, count) : count }, (_, n): Step => {
    const isFirst = early && n === 0;
    const isStranger = chance(seed, 'stranger claims', nth, n) < 0.05;
    const isOperator = chance(seed, 'operator claims', nth, n) < 0.1;
    const stranger = choose(wallets, seed, 'stranger claims', nth, n).owner;
    const isRepeated = n > 1 && chance(seed, 'claimed again', nth, n) < 0.15;
    const named = isRepeated ? n - 1 : n;
    return {
      id: `n${nth}.${n}`,
      at: isFirst ? between(100, 3_900, seed, 'claimed', nth) : between(4_000, last + 1_000, seed, 'claimed', nth, n),
      principal: isOperator ? 'operator' : isStranger ? stranger : wallet.owner,
      operator: isOperator,
      key: `claim-${nth}-${named}`,
      retries: choose([0, 1, 4], seed, 'claim retries', nth, n),
      action: {
        do: 'change-wallet',
        wallet: nameIn(wallet),
        name: 'Account',
        alias:
          isFirst && nth < 2
            ? (namesOf(wallet.owner)[0] ?? null)
            : wantedBy(seed, wallet.owner, collects, [nth, named]),
      },
    };
  });
}

/** Returns transfers by an alias, most of them repeated when its owner may have changed it. */
function payments(seed: string, wallets: readonly Owned[], last: number): Step[] {
  return Array.from({ length: between(0, 2, seed, 'payments') }).flatMap((_, n): Step[] => {
    const payer = choose(wallets, seed, 'payer', n);
    const to = choose(wallets, seed, 'payee', n);
    const [alias = untaken] = namesOf(to.owner);
    const pay: Step = {
      id: `p${n}`,
      at: between(4_000, last, seed, 'paid', n),
      ...{
        principal: payer.owner,
        operator: false,
        key: `payment-${n}`,
        retries: choose([0, 1, 4], seed, 'pays again', n),
      },
      action: {
        do: 'transfer',
        wallet: nameIn(payer),
        to: nameIn(to),
        alias,
        amount: 100,
        queued: chance(seed, 'queued', n) < 0.3,
      },
    };
    const again = { ...pay, id: `p${n}+`, at: last + between(1_500, 20_000, seed, 'paid again', n) };
    return chance(seed, 'repeated payment', n) < 0.8 ? [pay, again] : [pay];
  });
}

/** Returns the changes by which some owners move their first alias from a wallet to the next one, or give it up. */
function moves(seed: string, wallets: readonly Owned[], last: number): Step[] {
  return [...Map.groupBy(wallets, ({ owner }) => owner)].flatMap(([owner, own]): Step[] => {
    if (chance(seed, 'moves', owner) >= 0.5) return [];
    const [alias = untaken] = namesOf(owner);
    const at = between(4_500, last + 1_000, seed, 'moved', owner);
    return own.map((wallet, n) => ({
      id: `m${owner}.${n}`,
      at: at + n * between(30, 500, seed, 'moved on', owner),
      ...{ principal: owner, operator: false, key: `move-${n}`, retries: 4 },
      action: { do: 'change-wallet', wallet: nameIn(wallet), name: 'Moved', alias: n === 0 ? null : alias },
    }));
  });
}

function nameIn({ principal, key, currency }: Owned): WalletName {
  return { principal, key, currency };
}

/** Returns the alias that an owner wants for a wallet; null: none any more. */
function wantedBy(seed: string, owner: string, collects: boolean, nth: readonly number[]): string | null {
  const draw = chance(seed, 'wanted alias', ...nth);
  if (draw < (collects ? 0.05 : 0.3)) return null;
  return draw < (collects ? 0.5 : 0.85)
    ? choose(namesOf(owner), seed, 'own alias', ...nth)
    : choose(others, seed, 'alias', ...nth);
}
