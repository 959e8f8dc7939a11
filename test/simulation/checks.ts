/** Checks at the end, when everything is at rest: of each key, of all accepted work, and of the bank's book. */
import { service } from '../../lambdas/domain/actor.ts';
import { covers, stepAt, windowsOver } from '../../lambdas/domain/rate.ts';
import { restoredFingerprint } from '../../lambdas/store/operations.ts';
import { checkAliases, checkReceivers, paysAsNamed } from './aliases.ts';
import { checkApprovals, isAsked } from './approvals.ts';
import type { Banks } from './bank.ts';
import { checkBatches, linesOf } from './batches.ts';
import { codeOf, contentOf } from './asks.ts';
import type { Ask, Witness } from './asks.ts';
import { transactionIdOfName, walletIdOfName } from './history.ts';
import type { TransactionState } from './items.ts';
import type { Ledger } from './ledger.ts';
import { hasReference } from './references.ts';
import { checkSplits } from './splits.ts';
import { isFarOff } from './orders.ts';
import { isOfWebhooks } from './webhook-steps.ts';

const moneyRoutes = new Set(['charge', 'withdraw', 'transfer', 'open-hold', 'capture', 'refund']);
/** Codes after which the caller does not know whether the command took effect. */
const uncertain = new Set(['busy', 'internal_error']);

export function checkAtRest(witness: Witness, banks: Banks): void {
  const { ledger, violate } = witness;
  const transactions = new Map(ledger.transactions().map((one) => [one.transactionId, one]));
  for (const transaction of transactions.values()) {
    const { transactionId, status } = transaction;
    if (isFarOff(transaction, witness.now())) continue;
    if (['scheduled', 'pending', 'executing', 'open'].includes(status)) {
      violate('accepted work ends', `${transactionId} is ${status}`);
    }
  }
  checkKeys(witness, transactions);
  checkSplits(witness);
  // A restore forgets windows of the rate, too, and nothing recovers them.
  if (witness.history.restore?.recovery === undefined) checkRates(witness, transactions);
  checkBooks(transactions, banks, witness);
  checkSignatures(transactions, witness);
  checkApprovals(witness);
  checkBatches(witness);
  checkAliases(ledger, violate);
  checkReceivers(witness);
}

function checkKeys(witness: Witness, transactions: ReadonlyMap<string, TransactionState>): void {
  const { asks, ledger, violate } = witness;
  const byKey = Map.groupBy(
    asks.filter(({ request, step }) => request.key !== undefined && !isOfWebhooks(step.action)),
    ({ step }) => transactionIdOfName(step),
  );
  for (const [transactionId, sent] of byKey) {
    const [first] = sent;
    // A transaction that was lost with a restore may be requested and answered as if it were new.
    if (first === undefined || ledger.restored()?.lost.has(transactionId)) continue;
    const key = `key ${first.step.key} of ${first.step.principal}`;
    const answered = sent.filter(({ response }) => (response?.status ?? 500) < 300);
    const fresh = answered.filter(({ response }) => response?.headers['Idempotency-Replayed'] === undefined);
    if (fresh.length > 1) violate('one key, one effect', `${key} was served ${fresh.length} times`);
    if (fresh.length === 0 && sent.length === answered.length && answered.length === 1) {
      violate('a replay answers a repetition', `${key} was sent once, and answered as a repetition`);
    }
    const stored = transactions.get(transactionId);
    const record = ledger.stored({ pk: { S: `TX#${transactionId}` }, sk: { S: 'TX' } });
    // A record that a recovery put back has no request to compare: it answers each one for the same money.
    if (record?.['fingerprint']?.S !== restoredFingerprint && new Set(answered.map(contentOf)).size > 1) {
      violate('one key, one effect', `${key} served two requests`);
    }
    // A command that waits for a second operator has its key, and is recorded when it is approved.
    const done = answered.filter((ask) => !isAsked(ask));
    if (answered.length > 0 && record === undefined) violate('accepted work is never lost', key);
    for (const ask of done) {
      if (moneyRoutes.has(ask.route) && stored === undefined) violate('accepted work is never lost', key);
      if (ask.response?.body?.['transactionId'] !== undefined && moneyRoutes.has(ask.route)) {
        if (ask.response.body['transactionId'] !== transactionId) violate('one key, one effect', key);
      }
    }
    if (record !== undefined && sent.every(isRefused)) violate('a refusal stores nothing', key);
    if (stored !== undefined && !sent.some((ask) => isFor(stored, ask, ledger))) {
      violate('a transaction matches its request', `${key} made ${JSON.stringify(stored)}`);
    }
  }
  const asked = new Set(linesOf(asks.map(({ step }) => step)).map(({ name }) => transactionIdOfName(name)));
  for (const transaction of transactions.values()) {
    const { transactionId, type, externalReference, standingOrderId, principal, splitId = transactionId } = transaction;
    // No request makes these. The last is the charge that a recovery books for a credit that no source has any more.
    const isStandIn = type === 'charge' && principal === service.principal;
    const isMadeByService = ['return', 'collection'].includes(type) || standingOrderId !== undefined || isStandIn;
    if (!isMadeByService && !byKey.has(splitId) && !asked.has(transactionId)) {
      violate('one key, one effect', `${type} ${transactionId} for ${String(externalReference)} is under another key`);
    }
  }
  const opened = new Set(
    asks.flatMap(({ step: { action, principal, key } }) =>
      action.do === 'create-wallet' ? [walletIdOfName({ principal, key, currency: action.currency })] : [],
    ),
  );
  for (const { walletId } of ledger.wallets()) {
    if (!opened.has(walletId)) violate('one key, one effect', `no command has opened ${walletId}`);
  }
}

function isRefused({ response }: Ask): boolean {
  if (response === undefined || response.status < 300) return false;
  const code = codeOf(response);
  return code !== undefined && !uncertain.has(code) && code !== 'idempotency_key_reused';
}

function isFor(stored: TransactionState, ask: Ask, ledger: Ledger): boolean {
  const { step, route } = ask;
  const { action } = step;
  if (!(route in types) || types[route as keyof typeof types] !== stored.type) return false;
  // A recovery may have made the record from other ones, which show neither its reference nor an alias.
  const isMade = stored['fingerprint'] === restoredFingerprint;
  const reference = 'reference' in action ? action.reference : undefined;
  if (!hasReference(stored, reference) && !(isMade && stored.uniqueReference === undefined)) return false;
  if (action.do === 'refund' && action.chargeback !== stored['chargeback']) return false;
  if (action.do === 'capture' || action.do === 'refund') {
    const isAmount = action.amount === undefined || action.amount === stored.amount;
    return isAmount && transactionIdOfName(action.target) === stored.originalTransactionId;
  }
  if (!('amount' in action)) return false;
  return (
    action.amount === stored.amount &&
    walletIdOfName(action.wallet) === stored.walletId &&
    paysAsNamed(stored, ask, ledger, isMade)
  );
}

/** The type of the transaction that each route makes. */
const types = {
  charge: 'charge',
  withdraw: 'withdrawal',
  transfer: 'transfer',
  'open-hold': 'hold',
  capture: 'capture',
  refund: 'refund',
} as const;

const hourMs = 3_600_000;
const { charge: uncounted, ...typesOfOne } = types;
const countedTypes = { ...typesOfOne, split: 'leg' };

/** Returns the kind of a transaction as the windows count it. */
function countedType({ type, splitId }: TransactionState): string {
  return splitId === undefined ? type : 'leg';
}

/**
 * Checks that no hour holds more accepted commands than the limit, and that each window counted those accepted in it.
 */
function checkRates({ asks, ledger, history, violate }: Witness, transactions: ReadonlyMap<string, TransactionState>) {
  const users = new Set(asks.filter(({ step }) => !step.operator).map(({ step }) => step.principal));
  for (const principal of users) {
    for (const [operation, type] of Object.entries(countedTypes)) {
      const times = [...transactions.values()]
        .filter((one) => countedType(one) === type && one.principal === principal && one.standingOrderId === undefined)
        .map(({ createdAt }) => Date.parse(createdAt));
      for (const from of times) {
        const within = times.filter((time) => time >= from && time < from + hourMs).length;
        if (within > history.service.perHour) {
          violate('no hour holds more than the limit', `${principal}: ${within} times ${type} within an hour`);
        }
      }
      const [item] = ledger.looks(`RATE#${principal}#${operation}`, 'RATE', Infinity, Infinity);
      const last = stepAt(Math.max(0, ...times));
      for (const window of times.length === 0 ? [] : windowsOver(last)) {
        const counted = Number(item?.[`w${window}`] ?? 0);
        const accepted = times.filter((time) => covers(window, stepAt(time))).length;
        if (counted !== accepted) {
          violate('the rate counts accepted commands', `${principal}: ${counted} counted, ${accepted} accepted`);
        }
      }
    }
  }
}

/** Reasons of attempts that are no visits, or visits that may not have reached the bank. */
const elsewhere: ReadonlySet<string> = new Set([
  'notified by the bank',
  'the worker reported no result',
  'the table was restored',
  'in the statement of the bank',
]);

/**
 * Returns whether an attempt made no visit because the withdrawal may be out at a bank that the worker does not know.
 */
export function isOfAnotherBank({ reason }: { readonly reason?: string }): boolean {
  return reason?.startsWith('submitted to bank ') ?? false;
}

/**
 * Checks that the bank refuses a signature only after a fault. While its keys can be read, the service has one that the
 * bank accepts. A process that stands still after a refusal has no time left to sign with the other key.
 */
function checkSignatures(transactions: ReadonlyMap<string, TransactionState>, { struck, violate }: Witness): void {
  const excuses = ({ call, kind }: ReturnType<Witness['struck']>[number]) =>
    call.startsWith('secrets') || (call.startsWith('bank') && (kind === 'stall' || kind === 'pause'));
  if (struck().some(excuses)) return;
  for (const { transactionId, attempts = [] } of transactions.values()) {
    if (attempts.some(({ reason }) => reason === 'status 401 signature_invalid')) {
      violate('a rotation refuses no call', transactionId);
    }
  }
}

/** Checks that paid means completed and completed means paid, and that each returned payment is booked once. */
function checkBooks(
  transactions: ReadonlyMap<string, TransactionState>,
  banks: Banks,
  { ledger, violate }: Pick<Witness, 'ledger' | 'violate'>,
): void {
  const isLost = (transactionId: string) => ledger.restored()?.lost.has(transactionId) ?? false;
  const paidBy = Map.groupBy(banks.entries(), ({ payment }) => payment.reference);
  const timesPaid = (reference: string) =>
    (paidBy.get(reference) ?? []).reduce((sum, entry) => sum + entry.timesPaid, 0);
  for (const [reference, known] of paidBy) {
    if (timesPaid(reference) > 1) violate('paid at most once', reference);
    if (known.some(({ decision, timesPaid }) => decision === 'none' && timesPaid > 0)) {
      violate('paid at most once', reference);
    }
  }
  for (const { bankId, payment, timesPaid, returned, mayBeForged } of banks.entries()) {
    const { reference } = payment;
    const withdrawal = transactions.get(reference);
    // A transaction lost with a restore differs from the bank's book. The check of the books must name it.
    if (isLost(reference)) continue;
    if (withdrawal?.type !== 'withdrawal') {
      violate('the bank pays only as requested', `${reference} is no withdrawal`);
      continue;
    }
    if (withdrawal.amount !== payment.amount || withdrawal.currency !== payment.currency) {
      violate('the bank pays only as requested', `${reference} with another amount`);
    }
    if (timesPaid > 0 && withdrawal.bankId !== bankId) {
      violate('the record names its bank', `${bankId} has paid ${reference}, it names ${String(withdrawal.bankId)}`);
    }
    if (timesPaid === 0) continue;
    const back =
      withdrawal.returnTransactionId === undefined ? undefined : transactions.get(withdrawal.returnTransactionId);
    const isBooked =
      back?.type === 'return' && back.originalTransactionId === reference && back.amount === payment.amount;
    // Notifications of a replaced bank are refused. An operator handles the money that it returns.
    const isUnheard = returned && !isBooked && bankId !== banks.current();
    if (returned !== isBooked && !isUnheard && !(isBooked && mayBeForged)) {
      violate('returned money is booked once', `${reference} was ${returned ? '' : 'not '}sent back`);
    }
  }
  for (const { transactionId, type, status, failure, attempts = [] } of transactions.values()) {
    if (type !== 'withdrawal') continue;
    const recorded = attempts.filter((one) => !elsewhere.has(one.reason ?? '') && !isOfAnotherBank(one));
    const { submits, finds } = banks.visits(transactionId);
    const submitted = recorded.filter((attempt) => attempt.submitted).length;
    if (submitted > submits || recorded.length - submitted > finds) {
      violate('an attempt is a visit to the bank', `${transactionId} has ${recorded.length} attempts`);
    }
    if (failure?.code === 'cancelled' && submits > 0) violate('cancelled only when never submitted', transactionId);
    const paid = timesPaid(transactionId) === 1;
    if (!isLost(transactionId) && paid !== (status === 'completed') && status !== 'review') {
      violate('paid is completed', `${transactionId} is ${status}, and the bank has ${paid ? '' : 'not '}paid`);
    }
  }
  const returns = [...transactions.values()].filter(({ type }) => type === 'return');
  const originals = new Set(returns.map(({ originalTransactionId }) => originalTransactionId));
  if (originals.size !== returns.length) violate('returned money is booked once', 'two returns of one withdrawal');
}
