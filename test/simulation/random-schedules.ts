/** Random payments for later, and standing orders with their cancels. */
import { between, chance, choose } from './chance.ts';
import type { Action, CommandName, History, Step, WalletName } from './history.ts';

const hourMs = 3_600_000;

/** Returns some histories with payments for later and standing orders, and the others as they are. */
export function withSchedules(history: History): History {
  const { seed, steps, restore } = history;
  // A restored table may show an order that pays less than it counts.
  if (restore !== undefined || chance(seed, 'schedules') >= 0.25) return history;
  const later = steps.map((step) => ({ ...step, action: scheduled(history, step) }));
  // An operator opens no wallet of its own: such a step is refused, and has no owner who could order.
  const wallets = steps.flatMap(({ principal, operator, key, action }): (WalletName & { readonly owner: string })[] =>
    action.do === 'create-wallet' && (!operator || action.owner !== undefined)
      ? [{ principal, key, currency: action.currency, owner: action.owner ?? principal }]
      : [],
  );
  const caps = { scheduled: between(1, 2, seed, 'most scheduled'), orders: 1 };
  const service = { ...history.service, ...(chance(seed, 'caps') < 0.3 && { caps }) };
  return { ...history, service, steps: [...later, ...wallets.flatMap((_, n) => newOrders(history, wallets, n))] };
}

/** Returns a history without payments for later and standing orders. */
export function withoutSchedules({ steps, ...history }: History): History {
  const kept = steps.filter(({ action }) => !isOfOrder(action));
  return { ...history, steps: kept.map((step) => ({ ...step, action: atOnce(step.action) })) };
}

function isOfOrder({ do: kind }: Action): boolean {
  return kind === 'open-standing-order' || kind === 'cancel-standing-order';
}

function atOnce(action: Action): Action {
  if (action.do !== 'withdraw' && action.do !== 'transfer') return action;
  const { executeAt, ...rest } = action;
  return rest;
}

/** Returns the action of a step, scheduled or not: steps with one key ask for one time. */
function scheduled({ seed, steps }: History, { principal, key, action }: Step): Action {
  const isPayment = action.do === 'withdraw' || (action.do === 'transfer' && !action.queued);
  if (!isPayment || chance(seed, 'scheduled', principal, key) >= 0.4) return action;
  const first = Math.min(...steps.filter((one) => one.principal === principal && one.key === key).map(({ at }) => at));
  // The shortest is hardly long enough.
  return { ...action, executeAt: first + between(60_500, 150_000, seed, 'executed', principal, key) };
}

/** Returns up to two standing orders of a wallet, some of them repeated, and their cancels. */
function newOrders(
  { seed, steps }: History,
  wallets: readonly (WalletName & { readonly owner: string })[],
  nth: number,
): Step[] {
  const last = Math.max(...steps.map(({ at }) => at));
  const wallet = wallets[nth];
  if (wallet === undefined) return [];
  return Array.from({ length: between(0, 2, seed, 'orders', nth) }).flatMap((_, n): Step[] => {
    const to = choose(wallets, seed, 'ordered to', nth, n);
    const isOperator = chance(seed, 'orders', nth, n) < 0.2;
    const at = between(4_000, last + 5_000, seed, 'ordered', nth, n);
    // 0: without an end.
    const count = choose([1, 1, 2, 0], seed, 'count', nth, n);
    const firstAt = at + hourMs + between(-1_000, 120_000, seed, 'first', nth, n);
    const order: Step = {
      id: `o${nth}.${n}`,
      at,
      principal: isOperator ? 'operator' : wallet.owner,
      operator: isOperator,
      key: `order-${nth}-${n}`,
      retries: choose([0, 1, 4], seed, 'order retries', nth, n),
      action: {
        do: 'open-standing-order',
        wallet: nameOf(wallet),
        to: nameOf(to),
        amount: choose([1, 100, 700], seed, 'order amount', nth, n),
        every: chance(seed, 'every', nth, n) < 0.5 ? 'week' : 'month',
        firstAt,
        ...(count > 0 && { count }),
      },
    };
    const again = { ...order, id: `${order.id}+`, at: at + between(0, 30_000, seed, 'ordered again', nth, n) };
    const repeated = chance(seed, 'order repeated', nth, n) < 0.3 ? [again] : [];
    return [order, ...repeated, ...cancels(seed, order, firstAt, [nth, n])];
  });
}

/** Returns the cancels of an order: soon after it, about the making of its payment, or about its execution. */
function cancels(seed: string, order: Step, firstAt: number, nth: readonly number[]): Step[] {
  const { principal, key } = order;
  const target: CommandName = { principal, key };
  return Array.from({ length: between(0, 2, seed, 'cancels', ...nth) }, (_, n): Step => {
    const soon = order.at + between(20, 8_000, seed, 'cancelled', ...nth, n);
    // The sweeper runs at whole minutes.
    const made = (Math.floor(order.at / 60_000) + 1) * 60_000 + between(0, 200, seed, 'cancelled', ...nth, n);
    const paid = firstAt + between(-1_000, 62_000, seed, 'cancelled', ...nth, n);
    const isStranger = chance(seed, 'stranger cancels', ...nth, n) < 0.1;
    return {
      id: `x${nth.join('.')}.${n}`,
      at: choose([soon, made, paid], seed, 'cancelled', ...nth, n),
      principal: isStranger ? 'carol' : principal,
      operator: !isStranger && order.operator,
      key: `cancel-${nth.join('-')}-${n}`,
      retries: choose([0, 1, 4], seed, 'cancel retries', ...nth, n),
      action: { do: 'cancel-standing-order', target },
    };
  });
}

function nameOf({ principal, key, currency }: WalletName): WalletName {
  return { principal, key, currency };
}
