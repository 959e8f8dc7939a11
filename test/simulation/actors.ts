/** The users of the service: clients that retry, a bank that reports its decisions, and operators who ask the bank. */
import { sign } from '../../lambdas/bank/signature.ts';
import type { Request, Response } from '../request.ts';
import { checkAnswer, inShort } from './answers.ts';
import type { ApprovalState } from './approvals.ts';
import type { Ask, Witness } from './asks.ts';
import { linesOf } from './batches.ts';
import type { BankId, Banks, BookEntry } from './bank.ts';
import { between, chance } from './chance.ts';
import { isForged, requestOf, transactionIdOfName, walletIdOfName } from './history.ts';
import type { CommandName, Step } from './history.ts';
import type { SharedKeys } from './keys.ts';
import { reportError } from './process.ts';
import type { RouteName } from './release.ts';
import type { Service } from './service.ts';
import type { World } from './world.ts';

export interface Stage {
  readonly world: World;
  readonly service: Service;
  readonly banks: Banks;
  readonly keys: SharedKeys;
  readonly witness: Witness & { readonly asks: Ask[] };
  /** Returns the name of a transaction in the history. */
  readonly labelOf: (transactionId: string) => string;
  readonly log: (line: string) => void;
}

export interface Actors {
  /** Starts a step at its time. */
  readonly begin: (step: Step) => void;
  /** Receives each decision of the bank on a payment. The bank may then report it. */
  readonly onDecision: (entry: BookEntry) => void;
  /** Lets the bank report all its decisions again, as operators ask for after a table was put back. */
  readonly remind: () => void;
  /** Lets operators end the withdrawals in review. */
  readonly resolveReviews: (round: number) => void;
  /** Lets operators unfreeze the wallets that withdrawals wait for. */
  readonly unfreezeWaiting: (round: number) => void;
  /** Lets another operator approve what the supervisor asked for. */
  readonly approveOpen: (round: number) => void;
  /** Returns whether an actor still has work. */
  readonly busy: () => boolean;
}

/** The gateway's answer while a release without the route runs. */
const notThere: Response = { status: 404, headers: {}, body: { code: 'not_found' }, text: '' };
/** The time after which a client and the gateway stop waiting for an answer. */
const patienceMs = 29_500;
/** The operator who ends the withdrawals that the other operators asked for themselves. */
const supervisor = 'supervisor';

export function actorsOn({ world, service, banks, keys, witness, labelOf, log }: Stage): Actors {
  const { history, ledger, queues, asks, violate } = witness;
  const { seed } = history;
  let active = 0;

  function act(work: Promise<void>): void {
    active++;
    work.then(
      () => active--,
      (error: unknown) => {
        violate('the simulation is sound', reportError(error));
      },
    );
  }

  async function ask(step: Step, label: string, route: RouteName, request: Request): Promise<Response | undefined> {
    if (!service.hasRoute(route)) {
      log(`${label}: ${JSON.stringify(step.action)}: there is no such route yet`);
      return notThere;
    }
    const asked: Ask = { label, step, route, request, from: ledger.moment(), startedAt: world.now(), to: Infinity };
    asks.push(asked);
    if (route === 'rotate-webhook-secret') witness.webhooks?.receivers.rotates(request.path?.['webhookId'] ?? '');
    log(`${label}: ${JSON.stringify(step.action)}`);
    const ending = await Promise.race([service.request(label, route, request), world.sleep(patienceMs)]);
    asked.to = ledger.moment();
    if (ending?.how === 'returned') {
      asked.response = ending.value;
      asked.task = ending.task;
      checkAnswer(asked, witness);
    } else if (ending?.how === 'threw') {
      violate('no unexpected errors', `${label}: ${reportError(ending.error)}`);
    }
    log(`${label}: ${inShort(asked.response)}`);
    return asked.response;
  }

  /** Sends a step's request, and retries it with the same key after no answer or an answer that asks for a retry. */
  async function play(step: Step): Promise<void> {
    await world.sleep(step.at);
    const { action } = step;
    if (action.do === 'redrive') {
      queues.redrive();
    } else if (action.do === 'sweep') {
      await service.sweep(step.id);
    } else if (isForged(step)) {
      await forge(step);
    } else if (action.do === 'bank-notifications') {
      await sayAgain(step, action.target, action.returned);
    } else {
      for (let attempt = 0; attempt <= step.retries; attempt++) {
        const label = attempt === 0 ? step.id : `${step.id}.${attempt}`;
        const sent = requestOf(step, {
          resolution: () => (action.do === 'resolve' ? learn(action.target) : ''),
          now: world.now(),
          createdAt: (transactionId) =>
            ledger.transactions().find((one) => one.transactionId === transactionId)?.createdAt,
        });
        if (sent === undefined) return;
        const response = await ask(step, label, sent.route, sent.request);
        if (response !== undefined && response.status < 500) return;
        await world.sleep(between(100, 20_000, seed, 'retry', label));
      }
    }
  }

  /** Returns the bank's decision as an operator gets it on the telephone. Afterwards the decision is final. */
  function learn(target: CommandName): string {
    const transactionId = transactionIdOfName(target);
    const withdrawal = ledger.transactions().find((one) => one.transactionId === transactionId);
    // A bank decides nothing about a payment that it cannot have, and the service refuses the command.
    if (withdrawal?.type !== 'withdrawal' || withdrawal.status === 'scheduled') return 'completed';
    const { amount, currency } = withdrawal;
    const destination = withdrawal['destination'] as { account: string; name?: string };
    // The record names the bank to call.
    const bankId = (withdrawal.bankId ?? banks.current()) as BankId;
    const decision = banks.makeDefinite(bankId, { reference: transactionId, amount, currency, destination });
    return decision === 'paid' ? 'completed' : 'failed';
  }

  async function sayAgain(step: Step, target: CommandName, returned: boolean): Promise<void> {
    const reference = transactionIdOfName(target);
    const entry = banks.entryOf(banks.current(), reference);
    if (entry === undefined || entry.decision === 'none') return;
    const word = returned && banks.sendBack(entry) ? 'returned' : entry.decision;
    for (let copy = 0; copy < between(1, 2, seed, 'copies', step.id); copy++) {
      await notify(entry, word, `${step.id}.${copy}`);
    }
  }

  /** Repeats the bank's report until an answer arrives. Once the bank is replaced, its key is no longer valid. */
  async function notify({ bankId, payment }: BookEntry, word: string, label: string): Promise<void> {
    const { reference, amount, currency } = payment;
    const code = word === 'rejected' ? { code: 'account_closed' } : {};
    const body = JSON.stringify({ reference, status: word, amount, currency, ...code });
    const target = { principal: '', key: '' };
    const action = { do: 'bank-notifications', target, returned: word === 'returned' } as const;
    const step: Step = { id: label, at: 0, principal: 'the bank', operator: false, key: '', retries: 0, action };
    for (let n = 0; bankId === banks.current(); n++) {
      const response = await ask(step, `${label}.${word}${n}`, 'bank-notifications', signed(body, keys.signing()));
      if (response !== undefined && response.status < 300) return;
      // An operator handles a payment whose withdrawal was lost or has another amount now.
      if ([400, 404].includes(response?.status ?? 0) && ledger.restored()?.lost.has(reference)) return;
      await world.sleep(between(500, 60_000, seed, 'notify again', label, n));
    }
  }

  /** Returns a request of the bank, or of a stranger who has such a key. */
  function signed(body: string, key: string): Request {
    const signature = sign({ method: 'POST', path: '/bank/notifications', body }, key, Math.floor(world.now() / 1000));
    return { headers: { 'Content-Type': 'application/json', ...signature }, body };
  }

  /** Sends a return that a stranger signs with the withdrawn key. Each container may be the one that accepts it. */
  async function forge(step: Step): Promise<void> {
    const { action } = step;
    const key = keys.withdrawn();
    if (key === undefined || !('target' in action)) return;
    const entry = banks.entryOf(banks.current(), transactionIdOfName(action.target));
    if (entry?.decision !== 'paid') return;
    const { reference, amount, currency } = entry.payment;
    const body = JSON.stringify({ reference, status: 'returned', amount, currency });
    await Promise.all(
      Array.from({ length: 2 }, (_, n) => ask(step, `${step.id}.${n}`, 'bank-notifications', signed(body, key))),
    );
    // The last keys that could be read stay valid for up to an hour, so that an unreadable secret stops no
    // notification.
    if (keys.hasFailed()) entry.mayBeForged = true;
  }

  return {
    begin(step) {
      act(play(step));
    },
    onDecision(entry) {
      const { reference } = entry.payment;
      const { decision } = entry;
      log(`the bank has ${decision} ${labelOf(reference)}`);
      if (chance(seed, 'notified', reference) >= history.notified) return;
      for (let copy = 0; copy < between(1, 2, seed, 'copies', reference); copy++) {
        const delay = between(0, 120_000, seed, 'notified', reference, copy);
        const label = `bank ${labelOf(reference)}.${copy}`;
        act(world.sleep(delay).then(() => notify(entry, decision, label)));
      }
    },
    remind() {
      for (const entry of banks.entries()) {
        const word = entry.returned ? 'returned' : entry.decision;
        const label = `bank reminds of ${labelOf(entry.payment.reference)}`;
        if (word !== 'none') act(notify(entry, word, label));
      }
    },
    resolveReviews(round) {
      for (const { transactionId } of ledger.transactions().filter(({ status }) => status === 'review')) {
        const names = [...history.steps, ...linesOf(history.steps).map(({ name }) => name)];
        const accepted = names.find((name) => transactionIdOfName(name) === transactionId);
        if (accepted === undefined) continue;
        const { principal, key } = accepted;
        const step: Step = {
          id: `resolve ${labelOf(transactionId)} ${round}`,
          at: 0,
          principal: supervisor,
          operator: true,
          key: `resolve ${transactionId} ${round}`,
          retries: 3,
          action: { do: 'resolve', target: { principal, key } },
        };
        act(play(step));
      }
    },
    unfreezeWaiting(round) {
      const waiting = new Set(
        ledger.transactions().flatMap(({ walletId, waitingFor }) => (waitingFor === undefined ? [] : [walletId])),
      );
      for (const { action, principal, key } of history.steps) {
        if (action.do !== 'create-wallet') continue;
        const wallet = { principal, key, currency: action.currency };
        if (!waiting.has(walletIdOfName(wallet))) continue;
        const id = `unfreeze ${principal} ${key} ${round}`;
        const step: Step = {
          id,
          at: 0,
          principal: supervisor,
          operator: true,
          key: id,
          retries: 3,
          action: { do: 'unfreeze', wallet },
        };
        act(play(step));
      }
    },
    approveOpen(round) {
      for (const { sk, status, askedBy, idempotencyKey, approvalId } of ledger.latest() as ApprovalState[]) {
        if (sk !== 'APPROVAL' || status !== 'asked' || askedBy.principal !== supervisor) continue;
        const id = `approve ${approvalId} ${round}`;
        const target = { principal: supervisor, key: String(idempotencyKey) };
        const action = { do: 'approve', target } as const;
        act(play({ id, at: 0, principal: 'second supervisor', operator: true, key: id, retries: 3, action }));
      }
    },
    busy: () => active > 0,
  };
}
