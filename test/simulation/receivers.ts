/** Receivers of webhooks on simulated time: they take deliveries, fail, hang, and move to private addresses. */
import { createHmac } from 'node:crypto';
import type { LookupAddress, LookupOptions } from 'node:dns';
import type { Outcome } from '../../lambdas/domain/webhook.ts';
import type { OpenWire, Wire } from '../../lambdas/webhooks/post.ts';
import type { Resolve } from '../../lambdas/webhooks/target.ts';
import { chance } from './chance.ts';
import { noAnswer } from './in-process-clients.ts';
import type { Violate } from './items.ts';
import { receiverFaults } from './plan.ts';
import type { FaultKind } from './plan.ts';
import type { Outage, WebhookPlan } from './webhook-steps.ts';
import type { World } from './world.ts';

/** A delivery that has reached a receiver. */
export interface Received {
  readonly webhookId: string;
  readonly eventId: string;
  readonly body: string;
  /** Epoch ms. */
  readonly at: number;
  /** The status of the answer; undefined: none was given. */
  readonly status: number | undefined;
}

/** An attempt that the sender knows the outcome of. */
export interface Attempted {
  readonly webhookId: string;
  readonly eventId: string;
  readonly outcome: string;
  /** Epoch ms. */
  readonly endedAt: number;
}

export interface Receivers {
  readonly resolve: Resolve;
  readonly openWire: OpenWire;
  readonly received: readonly Received[];
  readonly attempted: readonly Attempted[];
  /**
   * Receives the secret of an endpoint, as its operator does.
   *
   * @param rotatedAt when the rotation that made it was asked for, epoch ms; undefined: the endpoint was added with it
   */
  readonly learn: (webhookId: string, secret: string, rotatedAt: number | undefined) => void;
  /** Returns whether a delivery was signed with two secrets. */
  readonly signedTwice: () => boolean;
  /** Records that an operator rotates the secret of an endpoint: from now on the secrets before end. */
  readonly rotates: (webhookId: string) => void;
}

/** As in lambdas/webhooks/post.ts. */
const timeoutMs = 10_000;
/** The longest turn that had begun before a rotation, and the time of its last delivery. */
const turnMs = 60_000;
const overlapMs = 86_400_000;
/** The greatest age of a delivery's time, beside the errors of clocks. */
const travelMs = 30_000;

const publicAddress: LookupAddress = { address: '93.184.215.14', family: 4 };
const privateAddresses: readonly LookupAddress[] = [
  { address: '10.0.0.7', family: 4 },
  { address: '169.254.169.254', family: 4 },
  { address: '::1', family: 6 },
  { address: '::ffff:127.0.0.1', family: 6 },
];

interface Secret {
  readonly text: string;
  /** The time from which each delivery is signed with it, epoch ms. */
  readonly from: number;
  /** When the rotation that made it was asked for, epoch ms; 0 for the first one. */
  readonly rotatedAt: number;
}

export function openReceivers(
  world: World,
  startsAt: number,
  { outages, clocksMs }: WebhookPlan & { /** The greatest error of a clock. */ readonly clocksMs: number },
  violate: Violate,
): Receivers {
  const received: Received[] = [];
  const attempted: Attempted[] = [];
  const secrets = new Map<string, Secret[]>();
  /** When the rotations of each endpoint were asked for. The first secret may be learned after one of them. */
  const rotations = new Map<string, number[]>();
  let lookUps = 0;
  let isSignedTwice = false;

  function troubleOf(host: string): Outage['how'] | undefined {
    const now = world.now() - startsAt;
    return outages[host]?.find(({ from, to }) => from <= now && now < to)?.how;
  }

  /** A private address may be the only one, or stand beside the public one. */
  const resolve: Resolve = (host, callback) => {
    const n = lookUps++;
    const isAlone = n % 2 === 1;
    const found = privateAddresses[Math.floor(chance(world.seed, 'address', n) * privateAddresses.length)];
    const moved = found === undefined ? [] : isAlone ? [found] : [publicAddress, found];
    callback(null, troubleOf(host) === 'moves' || moving.has(host) ? moved : [publicAddress]);
  };
  /** Hosts that have a private address for one connection. */
  const moving = new Set<string>();

  /** Connects as a socket does: to the first address that the look-up permits. */
  function connect(host: string, lookup: Parameters<OpenWire>[0]): Promise<void> {
    return new Promise((connected, reject) => {
      const options: LookupOptions = { all: true };
      lookup(host, options, (error, addresses) => {
        if (error !== null) {
          reject(error);
          return;
        }
        const all = typeof addresses === 'string' ? [{ address: addresses, family: 4 }] : addresses;
        const other = all.find(({ address }) => address !== publicAddress.address);
        if (other !== undefined) violate('no delivery goes to a private address', `${host} at ${other.address}`);
        connected();
      });
    });
  }

  /** Takes a delivery. Returns the status of the answer, or undefined for none. */
  function take(url: URL, message: Parameters<Wire['send']>[1], kind: FaultKind | undefined): number | undefined {
    const trouble = troubleOf(url.hostname);
    const statuses = { fails: 500, redirects: 307, gone: 410, hangs: undefined, refuses: undefined, moves: 204 };
    const status = kind === 'answers-500' ? 500 : trouble === undefined ? 204 : statuses[trouble];
    const { headers, body } = message;
    const [webhookId, eventId] = [url.pathname.slice(1), headers['webhook-id'] ?? ''];
    received.push({ webhookId, eventId, body, at: world.now(), status });
    checkSignature(webhookId, headers, body);
    return status;
  }

  function checkSignature(webhookId: string, headers: Readonly<Record<string, string>>, body: string): void {
    const now = world.now();
    const { 'webhook-id': id, 'webhook-timestamp': at, 'webhook-signature': signatures = '' } = headers;
    if (Math.abs(now - 1_000 * Number(at)) > clocksMs + travelMs) {
      violate('a delivery is signed at its time', `${webhookId} at ${String(at)}`);
    }
    const given = signatures.split(' ');
    if (given.length === 2) isSignedTwice = true;
    const due = (secrets.get(webhookId) ?? []).filter(
      (secret) => secret.from <= now && now < endOf(secret, rotations.get(webhookId) ?? []),
    );
    for (const { text } of due) {
      const key = Buffer.from(text.slice('whsec_'.length), 'base64');
      const expected = createHmac('sha256', key).update(`${id}.${at}.${body}`).digest('base64');
      if (!given.includes(`v1,${expected}`)) violate('a delivery is signed with each secret', webhookId);
    }
  }

  /** Returns until when each delivery is signed with a secret: for a day after the next rotation, or until the one after it. */
  function endOf({ rotatedAt }: Secret, all: readonly number[]): number {
    const [next = Infinity, second = Infinity] = all.filter((at) => at > rotatedAt);
    return Math.min(next + overlapMs - clocksMs - turnMs, second);
  }

  const openWire: OpenWire = (lookup) => ({
    async send(url, message) {
      const outcome = await outcomeOf(url, message, lookup);
      attempted.push({
        ...{ webhookId: url.pathname.slice(1), eventId: message.headers['webhook-id'] ?? '' },
        outcome: 'status' in outcome ? String(outcome.status) : outcome.failure,
        endedAt: world.now(),
      });
      return outcome;
    },
    close: () => undefined,
  });

  async function outcomeOf(
    url: URL,
    message: Parameters<Wire['send']>[1],
    lookup: Parameters<OpenWire>[0],
  ): Promise<Outcome> {
    const host = url.hostname;
    try {
      const status = await world.external({
        service: 'receiver',
        operation: 'POST',
        kinds: receiverFaults,
        legMs: [5, 300],
        timeoutMs,
        lost: noAnswer,
        async perform({ kind }) {
          if (kind === 'moved') moving.add(host);
          try {
            await connect(host, lookup);
          } finally {
            moving.delete(host);
          }
          if (kind === 'no-connection' || troubleOf(host) === 'refuses') throw new Error('refused');
          return take(url, message, kind);
        },
      });
      if (status !== undefined) return { status };
      await world.sleep(timeoutMs);
      return { failure: 'timeout' };
    } catch (error) {
      const { name } = error as Error;
      if (name === 'TimeoutError') return { failure: 'timeout' };
      return { failure: name === 'AddressRefused' ? 'address_refused' : 'no_connection' };
    }
  }

  return {
    resolve,
    openWire,
    received,
    attempted,
    signedTwice: () => isSignedTwice,
    learn(webhookId, text, rotatedAt) {
      const known = secrets.get(webhookId) ?? [];
      if (known.some((one) => one.text === text)) return;
      const from = rotatedAt === undefined ? 0 : world.now() + turnMs;
      secrets.set(webhookId, [...known, { text, from, rotatedAt: rotatedAt ?? 0 }]);
    },
    rotates(webhookId) {
      rotations.set(webhookId, [...(rotations.get(webhookId) ?? []), world.now()]);
    },
  };
}
