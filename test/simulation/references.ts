/** References and names as an auditor knows them. */
import { referenceKey } from '../../lambdas/store/keys.ts';
import type { Ask, Witness } from './asks.ts';
import type { Item, TransactionState, Violate } from './items.ts';
import { transactionIdOfName, walletIdOfName } from './history.ts';
import type { Action, Step, WalletName } from './history.ts';
import type { Ledger } from './ledger.ts';

/** Returns the owner among whose references that of a transaction is: a capture has that of its receiver. */
function scopeOf({ type, capturedBy, principal, ownerId }: TransactionState): string | undefined {
  if (type !== 'capture') return ownerId;
  return capturedBy === 'owner' ? principal : undefined;
}

/** Returns the transactions that have this reference of an owner, or of the operators, for themselves alone. */
export function sharing(
  externalReference: string,
  ownerId: string | undefined,
  transactions: Iterable<TransactionState>,
): TransactionState[] {
  return [...transactions].filter(
    (one) => one.uniqueReference === true && one.externalReference === externalReference && scopeOf(one) === ownerId,
  );
}

/** Returns whether a transaction has the reference for itself alone that its request asked for; none: it has no such. */
export function hasReference(
  { externalReference, uniqueReference }: TransactionState,
  reference: string | undefined,
): boolean {
  return reference === undefined
    ? uniqueReference === undefined
    : uniqueReference === true && externalReference === reference;
}

/** Checks a transaction that was made: a unique reference has at most one, and a record that names it. */
export function checkReference(
  transaction: TransactionState,
  transactions: Iterable<TransactionState>,
  currentOf: (key: string) => Item | undefined,
  violate: Violate,
): void {
  const { transactionId, externalReference, uniqueReference } = transaction;
  if (uniqueReference !== true || externalReference === undefined) return;
  const ownerId = scopeOf(transaction);
  const all = sharing(externalReference, ownerId, transactions).map((one) => one.transactionId);
  if (all.length > 1) {
    violate('a unique reference has at most one transaction', `${externalReference}: ${all.join(', ')}`);
  }
  const { pk, sk } = referenceKey({ ownerId, externalReference });
  if (currentOf(`${pk} ${sk}`)?.['transactionId'] !== transactionId) {
    violate(
      'a unique reference has at most one transaction',
      `no record says that ${externalReference} is of ${transactionId}`,
    );
  }
}

/**
 * Returns whether another command has the reference that this one asks for, or that an approved command does, and the answer
 * names its transaction.
 */
export function isTaken({ step, response }: Ask, { ledger, history }: Witness): boolean {
  const name = step.action.do === 'approve' ? step.action.target : step;
  const isSame = ({ principal, key }: Step) => principal === name.principal && key === name.key;
  return history.steps
    .filter(isSame)
    .some(({ action, principal, operator }) =>
      referencesIn(action).some((reference) =>
        sharing(reference, operator ? undefined : principal, ledger.transactions()).some(
          ({ transactionId }) =>
            transactionId !== transactionIdOfName(name) && transactionId === response?.body?.['transactionId'],
        ),
      ),
    );
}

/** Returns the references that a command asks for alone. */
function referencesIn(action: Action): string[] {
  const parts = action.do === 'split' ? action.legs : [action];
  return parts.flatMap((part) => ('reference' in part ? [part.reference] : []));
}

/** Returns a transaction on a page that the caller must not find by this reference; undefined when there is none. */
export function strangeOn(items: readonly Item[], reference: string, { step }: Ask, ledger: Ledger): Item | undefined {
  const owned = new Set(
    ledger.wallets().flatMap(({ walletId, ownerId }) => (ownerId === step.principal ? [walletId] : [])),
  );
  // The reference of a capture into a wallet is its receiver's.
  const sideOf = ({ type, walletId, counterpartyWalletId }: Item) =>
    type === 'capture' && counterpartyWalletId !== undefined ? counterpartyWalletId : walletId;
  // An owner of both sides sees a capture as its payer does, without the receiver's reference.
  const showsNone = ({ type, walletId, externalReference }: Item) =>
    externalReference === undefined && type === 'capture' && owned.has(String(walletId));
  return items.find(
    (item) =>
      !(item['externalReference'] === reference || showsNone(item)) ||
      !(step.operator || owned.has(String(sideOf(item)))),
  );
}

/** Returns whether a wallet ever had this name in the time of a request. */
export function wasNamed(wallet: WalletName, name: unknown, { from, to }: Ask, ledger: Ledger): boolean {
  const looks = ledger.looks(`DETAILS#${walletIdOfName(wallet)}`, 'DETAILS', from, to);
  return looks.some((look) => look?.['name'] === name);
}
