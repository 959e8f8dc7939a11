/** Checks of answers: each refusal must have a reason, and each success must show the true state. */
import { isDeepStrictEqual } from 'node:util';
import type { Response } from '../request.ts';
import { approvalLooks, isAsked } from './approvals.ts';
import type { ApprovalState } from './approvals.ts';
import { batchLooks, wrongInBatch, wrongInLines } from './batches.ts';
import { heldVersions } from './versions.ts';
import { stalenessMs } from './dynamodb.ts';
import { isForged, walletIdOfName } from './history.ts';
import type { Item, TransactionState, WalletState } from './items.ts';
import type { Ledger } from './ledger.ts';
import {
  codeOf,
  decidesOwn,
  receivesMoney,
  seesTransaction,
  transactionLooks,
  walletLooks,
  walletsOf,
} from './asks.ts';
import { limitsOf, versionOf } from './limits.ts';
import type { Ask, Witness } from './asks.ts';
import { orderLooks, seesOrder, wrongInOrder } from './orders.ts';
import { hadAlias, showsReceiver } from './aliases.ts';
import { strangeOn, wasNamed } from './references.ts';
import { isJust, mustBeRefused } from './refusals.ts';
import { checkWebhookAnswer } from './webhook-answers.ts';
import { isOfWebhooks } from './webhook-steps.ts';
import { legIdsOf, namesReceiver, paysFromOwn } from './splits.ts';

/** Checks one answer at the time when it is given. */
export function checkAnswer(asked: Ask, witness: Witness): void {
  const { response } = asked;
  if (response === undefined) return;
  if (isOfWebhooks(asked.step.action)) {
    checkWebhookAnswer({ ...asked, response }, witness);
    return;
  }
  // An eventually consistent read shows a state from some time before the request.
  const isStale = asked.task?.faults.includes('stale-read') ?? false;
  const ask = isStale ? { ...asked, from: witness.ledger.momentAt(asked.startedAt - stalenessMs) } : asked;
  const { violate } = witness;
  const code = ask.route === 'health' && response.status === 503 ? 'unavailable' : codeOf(response);
  const said = `${ask.label}: ${ask.route} answered ${inShort(response)}`;
  // A request with an accepted signature may still be refused for another reason.
  if (isForged(ask.step) && response.status < 500 && code !== 'unauthorized' && !witness.keys.hasFailed()) {
    violate('a withdrawn key is refused', said);
  }
  if (showsReceiver(ask, witness)) violate('a payer by an alias does not learn its wallet', said);
  if (namesReceiver(ask)) violate('a payer does not learn which receiver takes no money', said);
  if (response.status < 300) {
    if (!maySee(ask, witness)) violate('no caller reaches the wallets of others', said);
    if (decidesOwn(ask, witness)) violate('no caller decides about its own', said);
    const wrong = wrongIn(ask, response, witness);
    if (wrong !== undefined) violate('answers are true', `${said}, but ${wrong}`);
    if (mustBeRefused(ask, witness)) violate('too much work is refused', said);
    const replayed = response.headers['Idempotency-Replayed'] !== undefined;
    if (replayed && ask.task !== undefined && witness.queues.hasSent(ask.task)) {
      violate('a replay sends no message', said);
    }
  } else if (code === undefined) {
    violate('refusals have a code', said);
  } else if (!isJust(code, ask, witness)) {
    violate(code === 'insufficient_funds' ? 'no false insufficient_funds' : 'refusals have a reason', said);
  }
}

/** Returns status and code. */
export function inShort(response: Response | undefined): string {
  return response === undefined ? 'no answer' : `${response.status} ${codeOf(response) ?? ''}`.trim();
}

/** Returns the fault of a successful answer, if any. */
function wrongIn(ask: Ask, { status, body, headers }: Response, { ledger }: Witness): string | undefined {
  const { step, route } = ask;
  const { action } = step;
  if (body === undefined) return 'it is empty';
  // Checked in webhook-answers.
  if (isOfWebhooks(action)) return undefined;
  const replayed = headers['Idempotency-Replayed'] !== undefined;
  if (isAsked(ask) && action.do !== 'get-approval') {
    return status === 202 ? wrongInApproval(body, approvalLooks(ledger, step, ask)) : 'it waits for a second operator';
  }
  switch (action.do) {
    case 'approve':
    case 'reject':
      if (body['status'] !== (action.do === 'approve' ? 'approved' : 'rejected')) return 'it ended otherwise';
      return wrongInApproval(body, approvalLooks(ledger, action.target, ask));
    case 'get-approval':
      return wrongInApproval(body, approvalLooks(ledger, action.target, ask));
    case 'list-approvals': {
      const strange = (body['items'] as Item[]).find((item) => item['status'] !== 'asked');
      return strange === undefined ? undefined : `${String(strange['approvalId'])} is not open`;
    }
    case 'create-batch':
      return status === 202 ? wrongInBatch(body, batchLooks(ledger, step, ask)) : 'it is not accepted';
    case 'get-batch':
      return wrongInBatch(body, batchLooks(ledger, action.target, ask));
    case 'list-batch-items':
      return wrongInLines(body, action.target, ask, ledger);
    case 'open-standing-order':
      return status === 201 ? wrongInOrder(body, step, orderLooks(ledger, step, ask)) : 'it is no new order';
    case 'cancel-standing-order':
      if (body['status'] !== 'ended' || body['end'] !== 'cancelled') return 'it is not cancelled';
      return wrongInOrder(body, step, orderLooks(ledger, action.target, ask));
    case 'get-standing-order':
      return wrongInOrder(body, step, orderLooks(ledger, action.target, ask));
    case 'list-standing-orders': {
      const strange = (body['items'] as Item[]).find((item) => item['walletId'] !== walletIdOfName(action.wallet));
      return strange === undefined ? undefined : `${String(strange['standingOrderId'])} is not of this wallet`;
    }
    case 'charge':
    case 'withdraw':
    case 'transfer': {
      const look = transactionLooks(ledger, step, ask).find((one) => shows(body, one, ask, ledger));
      if (look === undefined) return 'no transaction looked like that';
      if (look.type !== 'withdrawal' && look.queued === undefined) return status === 201 ? undefined : 'it is over';
      const ended = !['scheduled', 'pending', 'executing'].includes(look.status);
      return status === 202 || (status === 200 && ended) ? undefined : `it is ${look.status}`;
    }
    case 'split': {
      if (status !== 201) return 'it is no new split';
      const legs = body['legs'] as Item[];
      const ids = legIdsOf(ask);
      if (legs.length !== ids.length) return 'it has other legs';
      const isWrong = (leg: Item, n: number) =>
        !transactionLooks(ledger, { ...step, leg: n }, ask).some((look) => shows(leg, look, ask, ledger));
      return legs.some(isWrong) ? 'a leg never looked like that' : undefined;
    }
    case 'open-hold':
    case 'capture':
    case 'refund': {
      if (status !== 201) return 'it is no new transaction';
      const needsActive = action.do !== 'refund' || !action.chargeback;
      if (
        needsActive &&
        !replayed &&
        walletLooks(ledger, String(body['walletId']), ask).every((one) => one?.status === 'frozen')
      ) {
        return 'its wallet is frozen';
      }
      return transactionLooks(ledger, step, ask).some((look) => shows(body, look, ask, ledger))
        ? undefined
        : 'no transaction looked like that';
    }
    case 'release':
      if (body['status'] !== 'ended') return 'it is not released';
      return transactionLooks(ledger, action.target, ask).some((look) => shows(body, look, ask, ledger))
        ? undefined
        : 'no transaction looked like that';
    case 'cancel':
      if ((body['failure'] as Item | undefined)?.['code'] !== 'cancelled') return 'it is not cancelled';
      return transactionLooks(ledger, action.target, ask).some((look) => shows(body, look, ask, ledger))
        ? undefined
        : 'no transaction looked like that';
    case 'resolve':
    case 'get-transaction':
    case 'get-receipt':
      return transactionLooks(ledger, action.target, ask).some((look) => shows(body, look, ask, ledger))
        ? undefined
        : 'no transaction looked like that';
    case 'balance-at':
      if (ledger.restored()?.wallets.has(walletIdOfName(action.wallet))) return undefined;
      return showsWallet(body, heldVersions(ledger, walletIdOfName(action.wallet), String(body['at']), ask));
    case 'get-balance':
      return showsWallet(body, walletLooks(ledger, walletIdOfName(action.wallet), ask));
    case 'freeze':
    case 'unfreeze':
    case 'close':
    case 'get-wallet':
      return showsWallet(body['balance'] as Item, walletLooks(ledger, walletIdOfName(action.wallet), ask));
    case 'set-limits': {
      const looks = walletLooks(ledger, walletIdOfName(action.wallet), ask).filter((look) => look !== undefined);
      const { version } = action;
      if (!replayed && version !== undefined && !looks.some((look) => versionOf(look) === version)) {
        return `its limits never had version ${version}`;
      }
      const isShown = (look: WalletState) =>
        versionOf(look) === body['version'] && isDeepStrictEqual(limitsOf(look) ?? {}, body['limits']);
      return looks.some(isShown) ? undefined : 'the wallet never had these limits';
    }
    case 'create-wallet':
      return walletLooks(ledger, String(body['walletId']), ask).some((wallet) => wallet?.ownerId === body['ownerId'])
        ? undefined
        : 'there is no such wallet';
    case 'list-transactions': {
      const walletId = walletIdOfName(action.wallet);
      const items = body['items'] as Item[];
      // An owner of both sides sees its payment by an alias as the payer does: without the wallet behind the alias.
      const isBehindAlias = ({ to, counterpartyWalletId }: Item) =>
        to !== undefined && counterpartyWalletId === undefined;
      const strange = items.find(
        (item) => item['walletId'] !== walletId && item['counterpartyWalletId'] !== walletId && !isBehindAlias(item),
      );
      if (strange !== undefined) return `${String(strange['transactionId'])} is not of this wallet`;
      const isShown = ({ walletId: id, to, counterpartyWalletId }: Item) =>
        id === walletId && to !== undefined && counterpartyWalletId !== undefined;
      const shown = step.operator ? undefined : items.find(isShown);
      return shown && `${String(shown['transactionId'])} shows the wallet behind an alias`;
    }
    case 'find-transactions': {
      const strange = strangeOn(body['items'] as Item[], action.reference, ask, ledger);
      return strange === undefined ? undefined : `${String(strange['transactionId'])} is not for this caller`;
    }
    case 'change-wallet':
      if (!replayed && !hadAlias(ask, body['alias'], ledger)) return 'it never had this alias';
      return wasNamed(action.wallet, body['name'], ask, ledger) ? undefined : 'it never had this name';
    case 'list-wallets': {
      const strange = (body['items'] as Item[]).find((item) => item['ownerId'] !== step.principal);
      return strange === undefined ? undefined : `${String(strange['walletId'])} is not the caller's`;
    }
    case 'health':
    case 'get-notification-preferences':
    case 'put-notification-preferences':
    case 'bank-notifications':
    case 'redrive':
    case 'sweep':
      return status === 200 ? undefined : `${route} has no such answer`;
  }
}

/** Returns whether the caller has the right to the successful request. */
function maySee(ask: Ask, witness: Witness): boolean {
  const { step, route } = ask;
  const { action } = step;
  if (step.operator || route === 'bank-notifications' || route === 'health') return true;
  const ofOperators = [
    'charge',
    'freeze',
    'unfreeze',
    'close',
    'set-limits',
    'resolve',
    'approve',
    'reject',
    'list-approvals',
    'create-batch',
    'get-batch',
    'list-batch-items',
  ];
  if (ofOperators.includes(route) || route === 'get-approval') return false;
  if (action.do === 'create-wallet') return (action.owner ?? step.principal) === step.principal;
  if (action.do === 'get-transaction' || action.do === 'get-receipt' || action.do === 'cancel') {
    return seesTransaction(ask, witness);
  }
  if (action.do === 'get-standing-order' || action.do === 'cancel-standing-order') return seesOrder(ask, witness);
  if (action.do === 'capture' || action.do === 'release' || action.do === 'refund') return receivesMoney(ask, witness);
  if (action.do === 'split') return paysFromOwn(ask, witness);
  const [source] = walletsOf(action);
  if (source === undefined) return true;
  return walletLooks(witness.ledger, source, ask).some((wallet) => wallet?.ownerId === step.principal);
}

/** Returns the fault of an approval in an answer, if any. An expiry is not stored. */
function wrongInApproval(body: Item, looks: readonly (ApprovalState | undefined)[]): string | undefined {
  const isShown = looks.some(
    (look) =>
      look !== undefined &&
      ['approvalId', 'command', 'transactionId', 'expiresAt', 'endedBy'].every((field) =>
        isDeepStrictEqual(body[field], look[field]),
      ) &&
      (body['status'] === look.status || (body['status'] === 'expired' && look.status === 'asked')),
  );
  return isShown ? undefined : 'no approval looked like that';
}

function shows(body: Item, look: TransactionState | undefined, ask: Ask, ledger: Ledger): boolean {
  return (
    look !== undefined &&
    ['transactionId', 'type', 'status', 'amount', 'currency', 'walletId', 'to'].every((field) =>
      isDeepStrictEqual(body[field], look[field]),
    ) &&
    // A payer by an alias does not see the wallet behind it.
    body['counterpartyWalletId'] === (hidesReceiver(look, ask, ledger) ? undefined : look.counterpartyWalletId) &&
    isDeepStrictEqual(body['postings'], postingsFor(look, ask, ledger)) &&
    body['fee'] === feeFor(look, ask, ledger)
  );
}

/** Returns the postings that the caller may see: the receiver of a transfer sees only those of its own wallet. */
function postingsFor(look: TransactionState, ask: Ask, ledger: Ledger): TransactionState['postings'] {
  const { operator } = ask.step;
  if (operator) return look.postings;
  if (isSender(look, ask, ledger)) {
    // The fee of a capture is the receiver's.
    const isOthersFee = look.type === 'capture' && look.fee !== undefined;
    const isHidden = hidesReceiver(look, ask, ledger);
    return look.postings.filter(({ account }) => {
      if (account.startsWith(`wallet:${look.walletId}:`)) return true;
      return !isOthersFee && !(isHidden && account.startsWith('wallet:'));
    });
  }
  return look.postings.filter(({ account }) => account === `wallet:${look.counterpartyWalletId}:available`);
}

/** Returns the fee that the caller may see: that of a transaction that its own side pays. */
function feeFor(look: TransactionState, ask: Ask, ledger: Ledger): number | undefined {
  const isPayer = isSender(look, ask, ledger) !== (look.type === 'capture');
  return ask.step.operator || isPayer ? look.fee : undefined;
}

function hidesReceiver(look: TransactionState, ask: Ask, ledger: Ledger): boolean {
  return look.to !== undefined && !ask.step.operator && isSender(look, ask, ledger);
}

function isSender(look: TransactionState, ask: Ask, ledger: Ledger): boolean {
  return walletLooks(ledger, look.walletId, ask).some((wallet) => wallet?.ownerId === ask.step.principal);
}

function showsWallet(balance: Item, looks: readonly (WalletState | undefined)[]): string | undefined {
  const shown = looks.some(
    (look) =>
      look !== undefined &&
      // As a reader of JSON gets them: rounded beyond 2^53-1.
      ['available', 'held', 'total', 'version'].every((figure) => balance[figure] === Number(look[figure])),
  );
  return shown ? undefined : `the wallet never had ${JSON.stringify(balance)}`;
}
