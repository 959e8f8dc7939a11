/**
 * A bank that follows docs/bank-protocol.md on simulated time, behind the `fetch` that the real client calls. Its book
 * is the witness of what was really paid; and it watches whether it is asked as the protocol wants.
 */
import type { Payment } from '../../lambdas/bank/client.ts';
import { checkSignature, signatureHeader, timestampHeader } from '../../lambdas/bank/signature.ts';
import { between, chance, choose } from './chance.ts';
import type { Violate } from './ledger.ts';
import type { FaultKind } from './plan.ts';
import type { Struck, Task, World } from './world.ts';

export interface BankSettings {
  readonly secret: string;
  /** How long after a submit a payment may be made that `find` does not know yet, ms. */
  readonly windowMs: number;
  /**
   * A bank that knows a reference again only when it has decided on it: whoever submits twice within the window is
   * paid twice. The service must not rely on a better one.
   */
  readonly forgetful: boolean;
  /** When the bank answers nothing of use, epoch ms. */
  readonly down: readonly { readonly from: number; readonly to: number }[];
}

export interface BookEntry {
  readonly payment: Payment;
  decision: 'none' | 'paid' | 'rejected';
  timesPaid: number;
  submissions: number;
  /** Payments under way that are not decided yet. */
  deciding: number;
  /** The payee's bank has sent the money back. */
  returned: boolean;
}

export interface Bank {
  readonly fetch: typeof globalThis.fetch;
  readonly book: ReadonlyMap<string, BookEntry>;
  /** What an operator learns on the telephone: paid, or never will be. */
  readonly makeDefinite: (payment: Payment) => 'paid' | 'rejected';
  /** How often the service has submitted the payment, and asked for it. */
  readonly visits: (reference: string) => { readonly submits: number; readonly finds: number };
  /** The money comes back; false when there is none to come back. */
  readonly sendBack: (reference: string) => boolean;
}

interface Visit {
  readonly task: Task | undefined;
  readonly submits: boolean;
  readonly leftAt: number;
  over: boolean;
  /** When the bank said "not found". */
  notFoundAt?: number;
}

/** @param onDecision told when the bank has paid or rejected */
export function openModelBank(
  world: World,
  settings: BankSettings,
  violate: Violate,
  onDecision: (entry: BookEntry) => void,
): Bank {
  const book = new Map<string, BookEntry>();
  const visits = new Map<string, Visit[]>();

  function entryOf(payment: Payment): BookEntry {
    const known = book.get(payment.reference);
    if (known !== undefined) return known;
    const entry: BookEntry = {
      payment,
      decision: 'none',
      timesPaid: 0,
      submissions: 0,
      deciding: 0,
      returned: false,
    };
    book.set(payment.reference, entry);
    return entry;
  }

  function decide(entry: BookEntry): void {
    if (entry.decision === 'rejected') return;
    if (entry.decision === 'paid' && !settings.forgetful) return;
    if (entry.payment.destination.account.includes('REJECT')) entry.decision = 'rejected';
    else {
      entry.decision = 'paid';
      entry.timesPaid++;
      if (entry.timesPaid > 1) violate('paid at most once', `the bank has paid ${entry.payment.reference} twice`);
    }
    onDecision(entry);
  }

  function submit(payment: Payment, leftAt: number, later: boolean): Response {
    const entry = entryOf(payment);
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

  function find(reference: string, visit: Visit): Response {
    const entry = book.get(reference);
    // Some payments are shown while they are processed, others only when they are done.
    const shown = entry?.decision !== 'none' || (entry.deciding > 0 && chance(world.seed, 'shown', reference) < 0.5);
    if (entry !== undefined && shown) return reply(200, receipt(entry));
    visit.notFoundAt = world.now();
    return reply(404, { reference, code: 'payment_not_found', message: 'there is no such payment' });
  }

  /**
   * Asking is free, also for a process that was frozen until its lease was over; but nobody submits again who has not
   * been told "not found" after the window, or while somebody else is there.
   */
  function watch(reference: string, visit: Visit): void {
    const earlier = visits.get(reference) ?? [];
    visits.set(reference, [...earlier, visit]);
    const wasFrozen = ({ task }: Visit) => task?.faults.includes('pause') ?? false;
    const beside = earlier.find((one) => !one.over && one.task?.died === false && !wasFrozen(one));
    if (beside !== undefined && (visit.submits || !wasFrozen(visit)))
      violate('one at a time', `${String(visit.task?.label)} and ${String(beside.task?.label)} are with the bank`);
    const submits = earlier.filter((one) => one.submits);
    if (!visit.submits || submits.length === 0) return;
    const definite = Math.max(...submits.map(({ leftAt }) => leftAt)) + settings.windowMs;
    if (!earlier.some(({ notFoundAt }) => notFoundAt !== undefined && notFoundAt >= definite))
      violate('asks before it pays again', `${String(visit.task?.label)} submits ${reference} again too early`);
  }

  function perform(request: BankRequest, visit: Visit, { kind, id }: Struck): Response {
    const now = world.now();
    if (settings.down.some(({ from, to }) => from <= now && now < to)) {
      if (chance(world.seed, 'down', id) < 0.5) throw connectionLost();
      return reply(503, { code: 'unavailable', message: 'later' });
    }
    if (kind === 'unavailable') return reply(503, { code: 'unavailable', message: 'later' });
    if (kind === 'too-many') return reply(429, {});
    if (kind === 'garbled') {
      if (chance(world.seed, 'garbled', id) < 0.5) serve(request, visit, false);
      return choose(garbage, world.seed, 'garbage', id)();
    }
    if (kind === 'request-doubled') serve(request, visit, false);
    return serve(request, visit, kind === 'decided-later');
  }

  function serve({ method, path, body, headers }: BankRequest, visit: Visit, later: boolean): Response {
    const signature = { timestamp: headers[timestampHeader], signature: headers[signatureHeader] };
    const check = checkSignature({ method, path, body }, signature, settings.secret, world.now() / 1000);
    if (check !== 'valid') {
      violate('requests are signed', `${method} ${path} is ${check}`);
      return reply(401, { code: `signature_${check}`, message: check });
    }
    if (method === 'POST') return submit(JSON.parse(body) as Payment, visit.leftAt, later);
    return find(referenceOf(path), visit);
  }

  return {
    book,
    async fetch(url, init = {}) {
      const path = new URL(url instanceof Request ? url.url : url).pathname;
      const method = init.method ?? 'GET';
      const body = typeof init.body === 'string' ? init.body : '';
      const request = { method, path, body, headers: init.headers as Record<string, string> };
      const submits = method === 'POST';
      const reference = submits ? (JSON.parse(body) as Payment).reference : referenceOf(path);
      const visit: Visit = { task: world.current(), submits, leftAt: world.now(), over: false };
      watch(reference, visit);
      try {
        return await world.external({
          service: 'bank',
          operation: submits ? 'POST /payments' : 'GET /payments',
          // A bank that does not know a reference again would be to blame itself for a request that comes twice.
          kinds: !submits ? findFaults : settings.forgetful ? submitFaults : [...submitFaults, 'request-doubled'],
          legMs: [20, 700],
          timeoutMs: 3_000,
          lost: connectionLost,
          // What leaves in time is booked within the window, or not at all.
          arrivesWithinMs: Math.max(1, settings.windowMs - 1),
          perform: (struck) =>
            new Promise((resolve) => {
              resolve(perform(request, visit, struck));
            }),
        });
      } finally {
        visit.over = true;
      }
    },
    makeDefinite(payment) {
      const entry = entryOf(payment);
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
    sendBack(reference) {
      const entry = book.get(reference);
      if (entry?.decision !== 'paid') return false;
      entry.returned = true;
      return true;
    },
  };
}

interface BankRequest {
  readonly method: string;
  readonly path: string;
  readonly body: string;
  readonly headers: Readonly<Record<string, string>>;
}

const findFaults: readonly FaultKind[] = ['unavailable', 'too-many', 'garbled'];
const submitFaults: readonly FaultKind[] = [...findFaults, 'decided-later'];

/** What is no word of the bank on this payment; by the protocol it decides nothing. */
const garbage = [
  () => reply(404, {}),
  () => reply(404, { code: 'payment_not_found', message: 'whose?' }),
  () => reply(422, { code: 'unprocessable', message: 'says a proxy' }),
  () => reply(200, { reference: 'tx_other', status: 'paid', amount: 1, currency: 'EUR' }),
  () => reply(200, { reference: 'tx_other', status: 'rejected', code: 'account_closed', message: 'closed' }),
  () => new Response('<html>Bad gateway</html>', { status: 502 }),
  () => new Response('{"reference": "tx_', { status: 201 }),
] as const;

function referenceOf(path: string): string {
  return decodeURIComponent(path.slice(path.lastIndexOf('/') + 1));
}

function receipt({ payment, decision }: BookEntry) {
  const { reference, amount, currency } = payment;
  if (decision === 'rejected')
    return { reference, status: 'rejected', amount, currency, code: 'account_closed', message: 'closed' };
  return { reference, status: decision === 'paid' ? 'paid' : 'processing', amount, currency };
}

function reply(status: number, body: object): Response {
  return new Response(JSON.stringify(body), { status, headers: { 'content-type': 'application/json' } });
}

function connectionLost(): Error {
  return new TypeError('fetch failed', { cause: Object.assign(new Error('reset'), { code: 'ECONNRESET' }) });
}
