/** An operation of the exhaustive mode, and the parts that its history is made of. */
import { defaultBreaker } from '../../lambdas/bank/breaker.ts';
import type { BreakerSettings } from '../../lambdas/bank/breaker.ts';
import type { Caps } from '../../lambdas/domain/wallet.ts';
import type { FourEyesPolicy } from '../../lambdas/http/four-eyes.ts';
import type { FeeSettings } from './fees.ts';
import type { Action, CommandName, History, Step, WalletName } from './history.ts';
import type { FaultKind } from './plan.ts';
import type { WebhookPlan } from './webhook-steps.ts';

export interface Operation {
  readonly name: string;
  readonly history: History;
  /** The faults in the circumstances of the operation. Each strikes the first call of its kind. */
  readonly given: readonly { readonly call: string; readonly kind: FaultKind }[];
  /** The calls that faults strike; absent: all. */
  readonly strikes?: readonly string[] | undefined;
}

export const currency = 'EUR';
export const alice: WalletName = { principal: 'alice', key: 'wallet-a', currency };
export const bob: WalletName = { principal: 'bob', key: 'wallet-b', currency };
export const operator = 'operator';
/** The command of the first step. */
export const asked: CommandName = { principal: 'alice', key: 'key-0' };

/** A step without its id and time. */
export type Part = Partial<Step> & { readonly action: Action };

export const sweepAt = (at: number): Part => ({ at, action: { do: 'sweep' } });
export const byOperator = (action: Action): Part => ({ principal: operator, operator: true, action });

/** What differs from an ordinary history. */
export interface Circumstances {
  readonly given?: Operation['given'];
  readonly windowMs?: number;
  readonly maxAttempts?: number;
  readonly bankDownMs?: number;
  readonly bankReplacedAt?: number;
  readonly notified?: number;
  readonly depthLimit?: number;
  readonly bobHas?: number;
  readonly breaker?: BreakerSettings;
  readonly clocksDifferMs?: number;
  readonly perHour?: number;
  readonly wrongByMs?: number;
  readonly databaseNamesTime?: boolean;
  readonly fourEyes?: FourEyesPolicy;
  readonly fees?: FeeSettings;
  readonly caps?: Caps;
  readonly hasBooks?: boolean;
  readonly webhooks?: WebhookPlan;
  readonly strikes?: Operation['strikes'];
}

/** Returns an operation: the steps come after those that open and fill the wallets of alice and bob. */
export function operation(name: string, parts: readonly Part[], circumstances: Circumstances = {}): Operation {
  const { given = [], windowMs = 2_000, maxAttempts = 3, bankDownMs = 0, notified = 0 } = circumstances;
  const { depthLimit = 1_000, bobHas = 1, breaker = defaultBreaker, bankReplacedAt } = circumstances;
  const { clocksDifferMs = 0, perHour = 1_000, wrongByMs = 0, databaseNamesTime = true, fourEyes } = circumstances;
  const { fees, caps, hasBooks = false, webhooks, strikes } = circumstances;
  const setup: Part[] = [
    ...[alice, bob].map((wallet) => ({ ...wallet, action: { do: 'create-wallet', currency } as const })),
    byOperator({ do: 'charge', wallet: alice, amount: 1_000 }),
    byOperator({ do: 'charge', wallet: bob, amount: bobHas }),
  ];
  const steps = [...setup, ...parts].map((part, n): Step => {
    const nth = n - setup.length;
    const id = nth < 0 ? `setup ${n}` : `s${nth}`;
    const at = nth < 0 ? 100 * n : 5_000 + 10 * nth;
    const key = nth < 0 ? `setup-${n}` : `key-${nth}`;
    return { id, at, principal: 'alice', operator: false, key, retries: 5, ...part };
  });
  const queue = { visibilityMs: 180_000, maxReceives: 20 };
  const history: History = {
    seed: name,
    steps,
    service: {
      policy: { maxAttempts, notFoundWindowMs: windowMs },
      breaker,
      clocksDifferMs,
      wrongByMs,
      perHour,
      readsPerHour: 1_000,
      queueDepthLimit: depthLimit,
      withdrawals: { ...queue, batchSize: 10, gatherMs: 0 },
      transfers: { ...queue, batchSize: 100, gatherMs: 1_000 },
      ...(fourEyes && { fourEyes }),
      ...(fees && { fees }),
      ...(caps && { caps }),
    },
    databaseNamesTime,
    bank: { windowMs, forgetful: true },
    bankDown: bankDownMs === 0 ? [] : [{ from: 5_000, to: 5_000 + bankDownMs }],
    ...(bankReplacedAt !== undefined && { bankReplacedAt }),
    storms: [],
    notified,
    idleSweeps: 0,
    hasBooks,
    ...(webhooks && { webhooks }),
    faultRate: 0,
  };
  return { name, history, given, strikes };
}
