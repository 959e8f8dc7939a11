/**
 * The ledger as an auditor keeps it: a copy of the table that follows every write. It checks the invariants of the
 * table after each one. It shares no code with the service, and computes its own sums.
 */
import { unmarshall } from '@aws-sdk/util-dynamodb';
import { isDeepStrictEqual } from 'node:util';
import { checkApproval, isRequest } from './approvals.ts';
import type { ApprovalState } from './approvals.ts';
import type { AuditedTable } from './auditor.ts';
import { keyText } from './dynamodb.ts';
import type { StoredItem } from './dynamodb.ts';
import { checkCollections } from './fees.ts';
import { checkHold, checkRefunded, checkTransaction, checkWallet } from './items.ts';
import type { Item, TransactionState, Violate, WalletState } from './items.ts';
import { openLimitAudit } from './limits.ts';
import { checkLegs } from './splits.ts';
import { checkOrder, checkPayments, ordersIn, walletOfOrder } from './orders.ts';
import { checkReference } from './references.ts';
import type { OrderState } from './orders.ts';
import type { Task } from './world.ts';

/** Called with an item before a change (undefined: a new item) and after it. */
export type OnChange = (key: StoredItem, before: StoredItem | undefined, after: StoredItem) => void;

/** The losses of a table that was put back to an earlier state. */
export interface Restored {
  /** Ids of transactions, operations and batches that were lost. */
  readonly lost: ReadonlySet<string>;
  /** Ids of wallets that have an earlier state again. */
  readonly wallets: ReadonlySet<string>;
}

export interface Ledger {
  /** Reads the items that a write of this task has touched, and checks them. */
  readonly observe: (keys: readonly StoredItem[], task: Task | undefined) => Promise<void>;
  /** Adds a listener for each change of a wallet, its details, a transaction, order or approval, as the table's stream reports them. */
  readonly follow: (listener: OnChange) => void;
  /** Returns the number of writes so far, which identifies a moment. */
  readonly moment: () => number;
  /** Returns all items as they are stored. */
  readonly items: () => StoredItem[];
  /** Returns whether a transaction of this id ever existed: operations have such ids, too. */
  readonly moved: (transactionId: string) => boolean;
  /** Returns the item as it is stored. */
  readonly stored: (key: StoredItem) => StoredItem | undefined;
  /** Returns the states of an item between two moments; undefined stands for no item. */
  readonly looks: (pk: string, sk: string, from: number, to: number) => (Item | undefined)[];
  /** Returns the states of a transaction in their order, with the number of the write and the time (epoch ms) of each. */
  readonly looksOf: (
    transactionId: string,
  ) => { readonly moment: number; readonly since: number; readonly transaction: TransactionState }[];
  /** Returns the keys of all items that ever existed. */
  readonly keys: () => { readonly pk: string; readonly sk: string }[];
  /** Returns the changes of all items, without those of a restore and its recovery. `was`: undefined for a new item. */
  readonly changes: () => { readonly was: Item | undefined; readonly is: Item }[];
  /** Returns the number of writes until a time, epoch ms. */
  readonly momentAt: (time: number) => number;
  /** Returns earlier states of the item at any time since `since` (epoch ms); undefined stands for no item. */
  readonly past: (key: StoredItem, since: number) => (StoredItem | undefined)[];
  /**
   * Returns whether the wallet was frozen at every moment since the latest claim on the withdrawal. The worker has read
   * the wallet since then.
   */
  readonly frozenSinceClaim: (transactionId: string) => boolean;
  /** Returns the state of each item now. */
  readonly latest: () => Item[];
  readonly transactions: () => TransactionState[];
  readonly wallets: () => WalletState[];
  /** Returns the states of the wallet by version, without those that were lost when the table was put back. */
  readonly versions: (walletId: string) => WalletState[];
  /**
   * Puts the table back to its state at a time, epoch ms. The stream shows nothing of it.
   *
   * @param tornMs each item has its state of a time of its own, up to so much earlier or later
   */
  readonly putBack: (time: number, tornMs?: (text: string) => number) => Promise<void>;
  /**
   * Begins or ends a recovery of the table. During it, wallets and transactions need not agree. `stream`: whether the
   * restored table has one.
   */
  readonly recovers: (state: 'begun' | 'stream' | 'ended') => void;
  /** Returns the losses of a restore; undefined: the table was never put back. */
  readonly restored: () => Restored | undefined;
  /**
   * Reads the whole table. Checks it against the copy, and all transactions against all wallets; at rest, also that no
   * money is in transit.
   */
  readonly audit: (isAtRest?: boolean) => Promise<void>;
}

interface Look {
  readonly moment: number;
  /** Epoch ms. */
  readonly since: number;
  readonly stored: StoredItem | undefined;
  readonly item: Item | undefined;
}

/** The items whose changes the stream's consumers follow. */
const streamed: ReadonlySet<string> = new Set(['TX', 'WALLET', 'DETAILS', 'ORDER', 'APPROVAL']);

/** Returns a transaction before a change; undefined where there was none, or the key of a request for its approval. */
function transactionIn(was: Item | undefined): TransactionState | undefined {
  return was?.['type'] === 'operation' ? undefined : (was as TransactionState | undefined);
}

/**
 * Opens a ledger on an empty table.
 *
 * @param now the true time, epoch ms
 * @param onEnd called for each transaction that has just changed its status
 * @param onWrite called with each item that a task has changed, before and after it
 */
export function openLedger(
  table: AuditedTable,
  now: () => number,
  violate: Violate,
  onEnd: (transaction: TransactionState) => void,
  onWrite: (before: Item, after: Item, task: Task | undefined) => void = () => undefined,
): Ledger {
  const stored = new Map<string, StoredItem>();
  const history = new Map<string, Look[]>();
  const balances = new Map<string, bigint>();
  const limits = openLimitAudit(violate);
  /** The time of each moment. */
  const times: { readonly moment: number; readonly time: number }[] = [];
  let moment = 0;
  const listeners: OnChange[] = [];
  let recovery: 'none' | 'begun' | 'stream' = 'none';
  let recoveredAt = 0;
  let restored: (Restored & { readonly to: number; readonly at: number }) | undefined;

  const currentOf = (text: string): Item | undefined => history.get(text)?.at(-1)?.item;
  const currents = (): Item[] =>
    [...history.values()].map((looks) => looks.at(-1)?.item).filter((item) => item !== undefined);
  const transactions = () =>
    currents().filter(({ sk, type }) => sk === 'TX' && type !== 'operation') as TransactionState[];
  const feeStates = () => currents().filter(({ sk }) => sk === 'FEES');
  const wallets = () => currents().filter(({ sk }) => sk === 'WALLET') as WalletState[];

  function post(transaction: TransactionState, before: TransactionState | undefined): void {
    for (const { account, amount } of transaction.postings.slice(before?.postings.length ?? 0)) {
      balances.set(account, (balances.get(account) ?? 0n) + BigInt(amount));
    }
  }

  function checkFigures(walletId: string): void {
    const wallet = currentOf(`WALLET#${walletId} WALLET`) as WalletState | undefined;
    if (wallet === undefined) {
      violate('wallet figures', `money is booked on ${walletId}, which does not exist`);
      return;
    }
    for (const part of ['available', 'held'] as const) {
      const booked = balances.get(`wallet:${walletId}:${part}`) ?? 0n;
      if (booked !== BigInt(wallet[part])) {
        violate('wallet figures', `${part} of ${walletId} is ${wallet[part]}, its postings sum to ${booked}`);
      }
    }
    const own = transactions().filter((one) => one.walletId === walletId);
    const open = own.filter(
      ({ type, status }) =>
        ['withdrawal', 'hold'].includes(type) && !['scheduled', 'completed', 'failed', 'ended'].includes(status),
    );
    const promised = open.reduce(
      (sum, { amount, captured = 0, fee = 0 }) => sum + BigInt(amount) + BigInt(fee) - BigInt(captured),
      0n,
    );
    if (promised !== BigInt(wallet.held)) {
      violate('held is open work', `${walletId} holds ${wallet.held}, its open withdrawals and holds have ${promised}`);
    }
    for (const hold of own.filter(({ type }) => type === 'hold')) {
      const captures = own.filter(({ originalTransactionId: id }) => id === hold.transactionId);
      checkHold(hold, captures, violate);
    }
    const scheduled = own.filter(({ status }) => status === 'scheduled').length;
    if (scheduled !== (wallet.scheduled ?? 0)) {
      violate('a wallet counts its scheduled payments', `${walletId}: ${wallet.scheduled ?? 0}, and has ${scheduled}`);
    }
    const active = ordersIn(currents()).filter(
      (one) => one.status === 'active' && walletOfOrder(one) === walletId,
    ).length;
    if (active !== (wallet.orders ?? 0)) {
      violate('a wallet counts its standing orders', `${walletId}: ${wallet.orders ?? 0}, and has ${active}`);
    }
    checkRefunds(own, wallet);
  }

  /** Checks the refunds of a wallet's transactions, and its chargebacks. */
  function checkRefunds(own: readonly TransactionState[], { walletId, chargedBack = 0 }: WalletState): void {
    const refunds = transactions().filter(({ type }) => type === 'refund');
    const byOriginal = Map.groupBy(refunds, ({ originalTransactionId }) => originalTransactionId);
    for (const one of own) checkRefunded(one, byOriginal.get(one.transactionId) ?? [], violate);
    const back = own.reduce((sum, { chargeback, amount }) => (chargeback ? sum + BigInt(amount) : sum), 0n);
    if (back !== BigInt(chargedBack)) {
      violate('a wallet knows its chargebacks', `${walletId}: ${chargedBack}, and its chargebacks are ${back}`);
    }
  }

  function apply(text: string, item: StoredItem | undefined): void {
    const before = currentOf(text);
    const after = item && itemOf(item);
    if (isDeepStrictEqual(before, after)) return;
    history.set(text, [...(history.get(text) ?? []), { moment, since: now(), stored: item, item: after }]);
    times.push({ moment, time: now() });
    const image = stored.get(text);
    if (item === undefined) stored.delete(text);
    else stored.set(text, item);
    const { pk, sk } = item ?? {};
    if (item && pk && sk && streamed.has(String(sk.S)) && recovery !== 'begun') {
      for (const listener of listeners) listener({ pk, sk }, image, item);
    }
    if (before !== undefined && after === undefined) violate('nothing is deleted', text);
  }

  return {
    async observe(keys, task) {
      moment++;
      const texts = new Map(keys.map((key) => [keyText(key), key]));
      const before = new Map([...texts.keys()].map((text) => [text, currentOf(text)]));
      const found = new Map((await table.read([...texts.values()])).map((item) => [keyText(item), item]));
      for (const text of texts.keys()) apply(text, found.get(text));
      const affected = new Set<string>();
      const orders = new Set<unknown>();
      const changes = [...before].flatMap(([text, was]) => {
        const is = currentOf(text);
        const isChanged = is !== undefined && is !== was && is['sk'] === 'TX' && is['type'] !== 'operation';
        return isChanged ? [{ is: is as TransactionState, was: transactionIn(was) }] : [];
      });
      for (const [text, was] of before) {
        const is = currentOf(text);
        if (is === undefined || is === was) continue;
        if (was !== undefined) onWrite(was, is, task);
        // A recovery puts single items right, so until its end they do not agree.
        if (recovery !== 'none') continue;
        if (is['sk'] === 'WALLET') {
          const [wallet, earlier] = [is as WalletState, was as WalletState | undefined];
          if (earlier !== undefined) limits.observe(wallet, earlier, changes);
          checkWallet(wallet, earlier, limits.mostCredit(wallet.walletId), violate);
          affected.add(String(is['walletId']));
        } else if (is['sk'] === 'APPROVAL') {
          checkApproval(is as ApprovalState, was as ApprovalState | undefined, violate);
        } else if (is['sk'] === 'ORDER') {
          checkOrder(is as OrderState, was as OrderState | undefined, violate);
          orders.add(is['standingOrderId']);
          affected.add(walletOfOrder(is as OrderState));
        } else if (is['sk'] === 'TX' && is['type'] === 'operation') {
          if (was !== undefined && !isRequest(was)) violate('records stay', `${text} was changed`);
        } else if (is['sk'] === 'TX') {
          if (was?.['type'] === 'operation' && !isRequest(was)) violate('records stay', `${text} was changed`);
          const transaction = is as TransactionState;
          const earlier = transactionIn(was);
          checkTransaction(transaction, earlier, violate);
          if (earlier === undefined) checkReference(transaction, transactions(), currentOf, violate);
          post(transaction, earlier);
          if (transaction.type === 'collection') checkCollections(transactions(), feeStates(), balances, violate);
          affected.add(transaction.walletId);
          if (transaction.standingOrderId !== undefined) orders.add(transaction.standingOrderId);
          if (transaction.counterpartyWalletId !== undefined) affected.add(transaction.counterpartyWalletId);
          if (transaction.status !== earlier?.status) onEnd(transaction);
        }
      }
      if (recovery === 'none') {
        const changed = [...before].flatMap(([text, was]) => {
          const is = currentOf(text);
          return is !== undefined && is !== was && is['sk'] === 'WALLET' ? [is] : [];
        });
        checkLegs(changes, changed, transactions(), violate);
      }
      for (const order of orders.size === 0 ? [] : ordersIn(currents())) {
        if (orders.has(order.standingOrderId)) checkPayments(order, transactions(), violate);
      }
      for (const walletId of affected) {
        // The receiver of a queued transfer need not exist.
        if (currentOf(`WALLET#${walletId} WALLET`) !== undefined || balances.has(`wallet:${walletId}:available`)) {
          checkFigures(walletId);
        }
      }
    },
    follow(listener) {
      listeners.push(listener);
    },
    recovers(state) {
      if (state !== 'ended') {
        recovery = state;
        return;
      }
      recovery = 'none';
      recoveredAt = moment;
      limits.forget();
      const lost = new Set([...(restored?.lost ?? [])].filter((id) => currentOf(`TX#${id} TX`) === undefined));
      const all = new Set(wallets().map(({ walletId }) => walletId));
      if (restored !== undefined) restored = { ...restored, lost, wallets: all };
    },
    moment: () => moment,
    items: () => [...stored.values()],
    latest: currents,
    moved: (transactionId) =>
      (history.get(`TX#${transactionId} TX`) ?? []).some(
        ({ item }) => item !== undefined && item['type'] !== 'operation',
      ),
    stored: (key) => stored.get(keyText(key)),
    looks(pk, sk, from, to) {
      const looks = history.get(`${pk} ${sk}`) ?? [];
      const atFirst = looks.findLast((look) => look.moment <= from);
      return [atFirst, ...looks.filter((look) => look.moment > from && look.moment <= to)].map((look) => look?.item);
    },
    looksOf: (transactionId) =>
      (history.get(`TX#${transactionId} TX`) ?? []).flatMap(({ item, moment, since }) =>
        item === undefined || item['type'] === 'operation'
          ? []
          : [{ moment, since, transaction: item as TransactionState }],
      ),
    keys: () =>
      [...history.keys()].map((text) => {
        const end = text.lastIndexOf(' ');
        return { pk: text.slice(0, end), sk: text.slice(end + 1) };
      }),
    changes: () =>
      [...history.values()].flatMap((looks) =>
        looks.flatMap(({ item: is, moment: at }, n) => {
          const isOfRestore = restored !== undefined && at >= restored.at && at <= Math.max(restored.at, recoveredAt);
          return is === undefined || isOfRestore ? [] : [{ was: looks[n - 1]?.item, is }];
        }),
      ),
    momentAt: (time) => times.findLast((one) => one.time <= time)?.moment ?? 0,
    past(key, since) {
      const looks = history.get(keyText(key)) ?? [];
      // An item that was created since then did not exist before.
      const all = [{ since: 0, stored: undefined }, ...looks];
      return all.filter((_, n) => (all[n + 1]?.since ?? 0) >= since).map((look) => look.stored);
    },
    frozenSinceClaim(transactionId) {
      const looks = history.get(`TX#${transactionId} TX`) ?? [];
      const claim = looks.findLast(
        ({ item }, n) => item?.['claimId'] !== undefined && item['claimId'] !== looks[n - 1]?.item?.['claimId'],
      );
      if (claim?.item === undefined) return false;
      const states = this.looks(`WALLET#${String(claim.item['walletId'])}`, 'WALLET', claim.moment, moment);
      return states.every((wallet) => wallet?.['status'] === 'frozen');
    },
    transactions,
    wallets,
    versions(walletId) {
      const looks = history.get(`WALLET#${walletId} WALLET`) ?? [];
      const kept = looks.filter(
        ({ since, moment: at }) => restored === undefined || since <= restored.to || at > restored.at,
      );
      return kept.flatMap(({ item }) => (item === undefined ? [] : [item as WalletState]));
    },
    async putBack(time, tornMs = () => 0) {
      moment++;
      limits.forget();
      const lost = new Set<string>();
      const putBack = new Set<string>();
      for (const [text, looks] of history) {
        const was = looks.findLast(({ since }) => since <= time + tornMs(text));
        const is = looks.at(-1)?.stored;
        if (is === undefined || was?.stored === is) continue;
        const { pk, sk } = is;
        if (was?.stored === undefined && pk && sk) {
          await table.remove({ pk, sk });
          stored.delete(text);
          if (sk.S === 'TX' || sk.S === 'BATCH') lost.add(pk.S?.slice(sk.S.length + 1) ?? '');
        } else if (was?.stored !== undefined) {
          await table.put(was.stored);
          stored.set(text, was.stored);
          if (sk?.S === 'WALLET') putBack.add(pk?.S?.slice('WALLET#'.length) ?? '');
        }
        history.set(text, [...looks, { moment, since: now(), stored: was?.stored, item: was?.item }]);
      }
      balances.clear();
      for (const transaction of transactions()) post(transaction, undefined);
      restored = { lost, wallets: putBack, to: time, at: moment };
    },
    restored: () => restored,
    async audit(isAtRest = true) {
      const items = await table.scan();
      const known = new Map([...stored].map(([text, item]) => [text, unmarshall(item)]));
      if (!isDeepStrictEqual(new Map(items.map((item) => [keyText(item), unmarshall(item)])), known)) {
        violate('every write is seen', 'the table is not what its writes made of it');
      }
      balances.clear();
      for (const transaction of transactions()) post(transaction, undefined);
      for (const { walletId } of wallets()) checkFigures(walletId);
      for (const order of ordersIn(currents())) checkPayments(order, transactions(), violate);
      checkCollections(transactions(), feeStates(), balances, violate);
      const sum = [...balances.values()].reduce((total, balance) => total + balance, 0n);
      if (sum !== 0n) violate('accounts sum to zero', `all accounts together are ${sum}`);
      for (const [account, balance] of balances) {
        if (isAtRest && account.startsWith('transit:') && balance !== 0n) {
          violate('accepted work ends', `${account} still has ${balance}`);
        }
      }
    },
  };
}

/** Returns the item as JavaScript values. The receiver of a transfer has one name in every form of its storage. */
function itemOf(stored: StoredItem): Item {
  const { toWalletId, counterpartyWalletId, ...item } = unmarshall(stored) as Item;
  const receiver = toWalletId ?? counterpartyWalletId;
  // A transfer to a crowded wallet is in a part of its receiver's history: `<wallet>#<part>`.
  return typeof receiver === 'string' ? { ...item, counterpartyWalletId: receiver.split('#')[0] } : item;
}
