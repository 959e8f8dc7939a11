/**
 * Two banks that follow docs/bank-protocol.md on simulated time, behind the connection that the real client uses. The
 * second replaces the first in some histories, with an empty book. Their books prove which payments were made. The
 * banks also check that the service asks them as the protocol demands.
 */
import type { Payment } from '../../lambdas/bank/answers.ts';
import type { BankRequest, Send } from '../../lambdas/bank/connection.ts';
import { checkSignature, signatureHeader, timestampHeader } from '../../lambdas/bank/signature.ts';
import { between, chance, choose } from './chance.ts';
import type { SharedKeys } from './keys.ts';
import type { Violate } from './items.ts';
import type { FaultKind } from './plan.ts';
import { garbage, receipt, reply } from './replies.ts';
import type { Decision, Facts, Reply } from './replies.ts';
import type { Struck, Task, World } from './world.ts';

export interface BankSettings {
  /** The time after a submit in which the bank may make a payment that `find` does not yet know, ms. */
  readonly windowMs: number;
  /**
   * True for a bank that recognises a reference only once it has decided on it. Two submits within the window are then
   * paid twice, so the service must not rely on a better bank.
   */
  readonly forgetful: boolean;
  /** The times when the bank is down, epoch ms. */
  readonly down: readonly { readonly from: number; readonly to: number }[];
  /** The time when the service switches to another bank, epoch ms; undefined: never. */
  readonly replacedAt: number | undefined;
}

const bankIds = ['bank-1', 'bank-2'] as const;
export type BankId = (typeof bankIds)[number];

export interface BookEntry {
  readonly bankId: BankId;
  readonly payment: Payment;
  decision: Decision;
  timesPaid: number;
  submissions: number;
  /** The number of submits in progress that are not decided yet. */
  deciding: number;
  /** True once the payee's bank has returned the money. */
  returned: boolean;
  /** True if a container that could not read its keys may have accepted a forged return. */
  mayBeForged: boolean;
}

export interface Banks {
  /** Returns the bank that the service is deployed with now. */
  readonly current: () => BankId;
  /** Returns the connection to a bank. `NeverConnected`: the class of this error in the release that uses it. */
  readonly sendTo: (bankId: BankId, NeverConnected: new (cause: unknown) => Error) => Send;
  readonly entries: () => BookEntry[];
  /** Returns the bank's entry of a payment, or undefined if there is none. */
  readonly entryOf: (bankId: BankId, reference: string) => BookEntry | undefined;
  /** Makes the bank's decision final. Returns it: paid, or never to be paid. */
  readonly makeDefinite: (bankId: BankId, payment: Payment) => 'paid' | 'rejected';
  /** Returns how often the service has submitted the payment and asked for it. */
  readonly visits: (reference: string) => { readonly submits: number; readonly finds: number };
  /** Returns the number of requests with a key that the bank does not accept, or no longer accepts. */
  readonly refusedSignatures: () => number;
  /** Returns the money to the service; false when no money can be returned. */
  readonly sendBack: (entry: BookEntry) => boolean;
}

interface Visit {
  readonly bankId: BankId;
  readonly task: Task | undefined;
  readonly submits: boolean;
  readonly leftAt: number;
  /** The number of full stops of the world before this visit. */
  readonly stops: number;
  over: boolean;
  /** True if no payment is in progress because of this submit: the bank refused it, or it never arrived. */
  refused: boolean;
  /** The time of the answer "not found". */
  notFoundAt?: number;
}

/**
 * Opens both banks.
 *
 * @param onDecision called when a bank has paid or rejected
 * @param onSubmit called for each payment that leaves for a bank
 * @param mayForget returns whether the service may have lost the record of a submit before the last stop
 */
export function openModelBanks(
  world: World,
  settings: BankSettings,
  keys: Pick<SharedKeys, 'accepted' | 'genuine'>,
  violate: Violate,
  onDecision: (entry: BookEntry) => void,
  onSubmit: (reference: string) => void,
  mayForget: (reference: string) => boolean = () => true,
): Banks {
  const books = { 'bank-1': new Map<string, BookEntry>(), 'bank-2': new Map<string, BookEntry>() };
  const visits = new Map<string, Visit[]>();
  let refusedSignatures = 0;

  const entries = () => bankIds.flatMap((bankId) => [...books[bankId].values()]);

  function entryFor(bankId: BankId, payment: Payment): BookEntry {
    const book = books[bankId];
    const known = book.get(payment.reference);
    if (known !== undefined) return known;
    const entry: BookEntry = {
      bankId,
      payment,
      decision: 'none',
      timesPaid: 0,
      submissions: 0,
      deciding: 0,
      returned: false,
      mayBeForged: false,
    };
    book.set(payment.reference, entry);
    return entry;
  }

  function decide(entry: BookEntry): void {
    if (entry.decision === 'rejected') return;
    if (entry.decision === 'paid' && !settings.forgetful) return;
    if (entry.payment.destination.account.includes('REJECT')) {
      entry.decision = 'rejected';
    } else {
      entry.decision = 'paid';
      entry.timesPaid++;
      const { reference } = entry.payment;
      const others = bankIds.reduce((sum, bankId) => sum + (books[bankId].get(reference)?.timesPaid ?? 0), 0);
      if (others > 1) violate('paid at most once', `${reference} is paid again, by ${entry.bankId}`);
    }
    onDecision(entry);
  }

  function submit(payment: Payment, { bankId, leftAt }: Visit, later: boolean): Reply {
    const entry = entryFor(bankId, payment);
    entry.submissions++;
    const same = JSON.stringify(entry.payment) === JSON.stringify(payment);
    if (!same) return reply(409, { reference: payment.reference, code: 'reference_reused', message: 'reused' });
    if (entry.decision === 'none' && (later || payment.destination.account.includes('LATE'))) {
      if (entry.deciding > 0 && !settings.forgetful) return reply(200, receipt(entry));
      entry.deciding++;
      const last = Math.max(world.now(), leftAt + settings.windowMs - 1);
      world.at(between(world.now(), last, world.seed, 'decides', payment.reference, entry.submissions), () => {
        entry.deciding--;
        decide(entry);
      });
      return reply(200, receipt(entry));
    }
    if (entry.decision === 'none') decide(entry);
    return reply(entry.decision === 'rejected' ? 422 : 201, receipt(entry));
  }

  function find(reference: string, visit: Visit): Reply {
    const entry = books[visit.bankId].get(reference);
    // Some payments appear while they are processed, others only when they are done.
    const shown = entry?.decision !== 'none' || (entry.deciding > 0 && chance(world.seed, 'shown', reference) < 0.5);
    if (entry !== undefined && shown) return reply(200, receipt(entry));
    visit.notFoundAt = world.now();
    return reply(404, { reference, code: 'payment_not_found', message: 'there is no such payment' });
  }

  /**
   * Returns whether a submit to a bank may still be in progress. It is not after a refusal, or after a definite "not
   * found" from the same bank.
   */
  function outAt(reference: string, earlier: readonly Visit[], bankId: BankId): boolean {
    // A restored table may not have a submit from before the stop. The stop lasted longer than the window.
    const isKnown = ({ stops }: Visit) => stops === world.stops() || !mayForget(reference);
    const submits = earlier.filter((one) => one.submits && !one.refused && one.bankId === bankId && isKnown(one));
    if (submits.length === 0) return false;
    const definite = Math.max(...submits.map(({ leftAt }) => leftAt)) + settings.windowMs;
    return !earlier.some((one) => one.bankId === bankId && one.notFoundAt !== undefined && one.notFoundAt >= definite);
  }

  /**
   * Checks that a visit is permitted. A question is always permitted, even to a worker that was frozen beyond its
   * lease. A second submit needs a "not found" after the window, and no other worker at the bank. Meanwhile no other
   * bank may be visited.
   */
  function watch(reference: string, visit: Visit): void {
    const earlier = visits.get(reference) ?? [];
    visits.set(reference, [...earlier, visit]);
    const wasFrozen = ({ task }: Visit) => task?.faults.includes('pause') ?? false;
    const beside = earlier.find((one) => !one.over && one.task?.died === false && !wasFrozen(one));
    if (beside !== undefined && (visit.submits || !wasFrozen(visit))) {
      violate('one at a time', `${String(visit.task?.label)} and ${String(beside.task?.label)} are with the bank`);
    }
    for (const bankId of bankIds.filter((id) => outAt(reference, earlier, id))) {
      if (bankId !== visit.bankId) {
        violate('only its own bank is visited', `${reference} may be out at ${bankId}, and ${visit.bankId} is visited`);
      } else if (visit.submits) {
        violate('asks before it pays again', `${String(visit.task?.label)} submits ${reference} again too early`);
      }
    }
  }

  function perform(request: BankRequest, visit: Visit, { kind, id }: Struck): Reply {
    const now = world.now();
    if (settings.down.some(({ from, to }) => from <= now && now < to)) {
      const how = chance(world.seed, 'down', id);
      if (how < 0.25) throw connectionLost();
      if (how < 0.5) throw neverConnected(visit);
      return how < 0.75 ? reply(503, { code: 'unavailable', message: 'later' }) : refuse(request, visit, id);
    }
    if (kind === 'unreachable') throw neverConnected(visit);
    if (kind === 'not-accepted') return refuse(request, visit, id);
    if (kind === 'unavailable') return reply(503, { code: 'unavailable', message: 'later' });
    if (kind === 'too-many') return reply(429, {});
    if (kind === 'garbled') {
      if (chance(world.seed, 'garbled', id) < 0.5) serve(request, visit, false);
      return choose(garbage, world.seed, 'garbage', id)(factsOf(request, books[visit.bankId]));
    }
    if (kind === 'request-doubled') serve(request, visit, false);
    return serve(request, visit, kind === 'decided-later');
  }

  /** Refuses a submit before any work. A question has no such answer. */
  function refuse(request: BankRequest, visit: Visit, id: string): Reply {
    const status = chance(world.seed, 'refuses', id) < 0.5 ? 503 : 429;
    if (!visit.submits) return reply(status, {});
    visit.refused = true;
    const { reference, amount, currency } = JSON.parse(request.body) as Payment;
    return reply(status, { reference, amount, currency, code: 'not_accepted', message: 'later' });
  }

  function neverConnected(visit: Visit): Error {
    visit.refused = true;
    return Object.assign(new Error('refused'), { code: 'ECONNREFUSED' });
  }

  function serve(request: BankRequest, visit: Visit, later: boolean): Reply {
    const { method, url, body, headers } = request;
    const path = url.pathname;
    const signature = { timestamp: headers[timestampHeader], signature: headers[signatureHeader] };
    const verdict = (candidates: readonly string[]) => {
      const checks = candidates.map((key) =>
        checkSignature({ method, path, body }, signature, key, world.now() / 1000),
      );
      return checks.find((check) => check !== 'invalid') ?? 'invalid';
    };
    const check = verdict(keys.accepted());
    if (check !== 'valid') {
      // A request that travels for five minutes may outlive its signature by a clock that is right to some seconds.
      const isOld = later && check === 'expired';
      if (!isOld && verdict(keys.genuine) !== 'valid') violate('requests are signed', `${method} ${path} is ${check}`);
      visit.refused = true;
      refusedSignatures++;
      return reply(401, { code: `signature_${check}`, message: check });
    }
    if (method === 'POST') return submit(JSON.parse(body) as Payment, visit, later);
    return find(factsOf(request, books[visit.bankId]).reference, visit);
  }

  async function send(bankId: BankId, request: BankRequest): Promise<Reply> {
    const submits = request.method === 'POST';
    const { reference } = factsOf(request, books[bankId]);
    const visit: Visit = {
      bankId,
      task: world.current(),
      submits,
      leftAt: world.now(),
      stops: world.stops(),
      over: false,
      refused: false,
    };
    watch(reference, visit);
    if (visit.submits) onSubmit(reference);
    try {
      return await world.external({
        service: 'bank',
        operation: submits ? 'POST /payments' : 'GET /payments',
        // A bank that does not recognise a reference would itself be at fault if a request arrived twice.
        kinds: !submits ? findFaults : settings.forgetful ? submitFaults : [...submitFaults, 'request-doubled'],
        legMs: [20, 700],
        timeoutMs: 3_000,
        lost: connectionLost,
        // A request that leaves in time is booked within the window, or never.
        arrivesWithinMs: Math.max(1, settings.windowMs - 1),
        perform: (struck) =>
          new Promise((resolve) => {
            resolve(perform(request, visit, struck));
          }),
      });
    } finally {
      visit.over = true;
    }
  }

  return {
    current: () => (settings.replacedAt === undefined || world.now() < settings.replacedAt ? 'bank-1' : 'bank-2'),
    sendTo: (bankId, NeverConnected) => async (request) => {
      try {
        return await send(bankId, request);
      } catch (error) {
        const isRefused = (error as { code?: unknown }).code === 'ECONNREFUSED';
        throw isRefused ? new NeverConnected(error) : error;
      }
    },
    entries,
    entryOf: (bankId, reference) => books[bankId].get(reference),
    makeDefinite(bankId, payment) {
      const entry = entryFor(bankId, payment);
      if (entry.decision === 'none') {
        entry.decision = 'rejected';
        onDecision(entry);
      }
      return entry.decision === 'paid' ? 'paid' : 'rejected';
    },
    visits(reference) {
      const all = visits.get(reference) ?? [];
      const submits = all.filter((visit) => visit.submits).length;
      return { submits, finds: all.length - submits };
    },
    refusedSignatures: () => refusedSignatures,
    sendBack(entry) {
      if (entry.decision !== 'paid') return false;
      entry.returned = true;
      return true;
    },
  };
}

/** Returns the payment of a request. A question names only the reference; the other facts come from the bank's book. */
function factsOf({ method, url, body }: BankRequest, book: ReadonlyMap<string, BookEntry>): Facts {
  if (method === 'POST') return JSON.parse(body) as Payment;
  const reference = decodeURIComponent(url.pathname.slice(url.pathname.lastIndexOf('/') + 1));
  return book.get(reference)?.payment ?? { reference, amount: 1, currency: 'EUR' };
}

const findFaults: readonly FaultKind[] = ['unavailable', 'too-many', 'garbled', 'unreachable'];
const submitFaults: readonly FaultKind[] = [...findFaults, 'decided-later', 'not-accepted'];

function connectionLost(): Error {
  return Object.assign(new Error('reset'), { code: 'ECONNRESET' });
}
