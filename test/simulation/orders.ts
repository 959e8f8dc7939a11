/** Standing orders as an auditor knows them, and the rules about them and their payments. */
import { isDeepStrictEqual } from 'node:util';
import type { Ask, Witness } from './asks.ts';
import { walletLooks } from './asks.ts';
import { transactionIdOfName } from './history.ts';
import type { CommandName, Step } from './history.ts';
import type { Item, TransactionState, Violate } from './items.ts';
import type { Ledger } from './ledger.ts';

export interface OrderState extends Item {
  readonly standingOrderId: string;
  readonly status: 'active' | 'ended';
  /** The partition of the index that lists the orders of a wallet: `ORDERS#<wallet>`. */
  readonly walletId: string;
  readonly amount: number;
  readonly fee?: number;
  readonly counterpartyWalletId?: string;
  readonly to?: string;
  readonly made: number;
  readonly firstAt: string;
  readonly count?: number;
  readonly principal: string;
  readonly ownerId?: string;
  readonly nextAt?: string;
  readonly end?: 'completed' | 'cancelled' | 'wallet_closed';
  readonly createdAt: string;
}

/** Returns the wallet that an order pays from. */
export function walletOfOrder({ walletId }: OrderState): string {
  return walletId.replace('ORDERS#', '');
}

export function orderLooks(ledger: Ledger, name: CommandName, { from, to }: Ask): (OrderState | undefined)[] {
  const id = transactionIdOfName(name).replace('tx_', 'so_');
  return ledger.looks(`ORDER#${id}`, 'ORDER', from, to) as (OrderState | undefined)[];
}

export function ordersIn(items: readonly Item[]): OrderState[] {
  return items.filter(({ sk }) => sk === 'ORDER') as OrderState[];
}

const changing = new Set([
  ...['status', 'made', 'nextAt', 'dueAt', 'dueShard', 'updatedAt'],
  ...['end', 'endedAt', 'endedBy', 'reason'],
]);

/** Checks a change of a standing order. */
export function checkOrder(is: OrderState, was: OrderState | undefined, violate: Violate): void {
  const { standingOrderId: id, status, made, nextAt, dueAt, dueShard, count = Infinity } = is;
  const isListed = String(dueShard).startsWith('DUE#o') && dueAt !== undefined && nextAt !== undefined;
  if (isListed !== (status === 'active') || (!isListed && (dueShard ?? dueAt ?? nextAt) !== undefined)) {
    violate('active orders are due, and no others', `${id} is ${status}`);
  }
  if (made > count) violate('an order makes no payment too many', `${id} has made ${made} of ${count}`);
  if (was === undefined) {
    if (status !== 'active' || made !== 0) {
      violate('an order begins with no payment', `${id} begins ${status}, ${made}`);
    }
    return;
  }
  if (was.status === 'ended') violate('an order ends once', `${id} was changed after its end`);
  if (made < was.made || made > was.made + 1) {
    violate('an order makes one payment at a time', `${id} from ${was.made} to ${made}`);
  }
  if (nextAt !== undefined && made > was.made && nextAt <= String(was.nextAt)) {
    violate('the payments of an order follow one another', `${id}: ${nextAt} after ${String(was.nextAt)}`);
  }
  for (const name of new Set([...Object.keys(is), ...Object.keys(was)])) {
    if (!changing.has(name) && !isDeepStrictEqual(is[name], was[name])) {
      violate('an order keeps its request', `${name} of ${id}`);
    }
  }
}

/** Checks that an order has made exactly the payments that it counts, and that a cancelled one has none scheduled. */
export function checkPayments(order: OrderState, transactions: readonly TransactionState[], violate: Violate): void {
  const { standingOrderId, made, end } = order;
  const payments = transactions.filter((one) => one.standingOrderId === standingOrderId);
  const says = `${standingOrderId} counts ${made} payments`;
  if (payments.length !== made) violate('an order counts its payments', `${says}, and has made ${payments.length}`);
  if (new Set(payments.map(({ executeAt }) => executeAt)).size !== payments.length) {
    violate('an order pays once at a time', says);
  }
  for (const payment of payments) {
    const { transactionId, amount, fee, walletId, counterpartyWalletId, to, principal, status } = payment;
    const isFor =
      amount === order.amount &&
      fee === order.fee &&
      walletId === walletOfOrder(order) &&
      principal === order.principal;
    if (!isFor || counterpartyWalletId !== order.counterpartyWalletId || to !== order.to) {
      violate('a payment is what its order says', `${transactionId} of ${standingOrderId}`);
    }
    if (end === 'cancelled' && status === 'scheduled') {
      violate('a cancelled order pays no more', `${transactionId} of ${standingOrderId} is scheduled`);
    }
  }
}

/** How far ahead a payment of an order is not waited for, ms: the next one is a week ahead. */
const farMs = 24 * 3_600_000;

/** Returns whether a transaction is a payment of an order whose time is far. */
export function isFarOff({ status, executeAt = '', ...payment }: TransactionState, now: number): boolean {
  return status === 'scheduled' && payment.standingOrderId !== undefined && Date.parse(executeAt) > now + farMs;
}

/** Returns whether an order has a payment to make. */
export function isDue({ status, dueAt }: OrderState, now: number): boolean {
  return status === 'active' && Date.parse(String(dueAt)) < now;
}

/** Returns whether the order existed, and is of a wallet of the caller. */
export function seesOrder(ask: Ask, { ledger }: Pick<Witness, 'ledger'>): boolean {
  const { action, operator, principal } = ask.step;
  const looks = 'target' in action ? orderLooks(ledger, action.target, ask) : [];
  const order = looks.at(-1);
  if (order === undefined || (ask.response?.status === 404 && looks.includes(undefined))) return false;
  return operator || walletLooks(ledger, walletOfOrder(order), ask).some((wallet) => wallet?.ownerId === principal);
}

/** Returns the fault of a standing order in an answer, if any. */
export function wrongInOrder(
  body: Item,
  { operator }: Pick<Step, 'operator'>,
  looks: readonly (OrderState | undefined)[],
): string | undefined {
  const isShown = looks.some(
    (look) =>
      look !== undefined &&
      ['standingOrderId', 'status', 'amount', 'every', 'firstAt', 'made', 'nextAt', 'end', 'to'].every((field) =>
        isDeepStrictEqual(body[field], look[field]),
      ) &&
      body['walletId'] === walletOfOrder(look) &&
      // An owner does not see the wallet behind an alias.
      body['toWalletId'] === (look.to !== undefined && !operator ? undefined : look.counterpartyWalletId),
  );
  return isShown ? undefined : 'no standing order looked like that';
}
