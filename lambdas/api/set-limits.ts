import * as z from 'zod/mini';
import type { Environment } from '../contract.ts';
import { WalletError } from '../domain/errors.ts';
import { fingerprintOf } from '../domain/ids.ts';
import { raisesLimits } from '../domain/limits.ts';
import { overOperatorLimit } from '../domain/operator-limits.ts';
import type { Tiers } from '../domain/tiers.ts';
import { limitsOfTier } from '../domain/tiers.ts';
import { limitsRefusal } from '../domain/wallet.ts';
import { dynamodbClient } from '../aws/clients.ts';
import { fields } from '../http/body-fields.ts';
import { askIfNeeded, readFourEyes } from '../http/four-eyes.ts';
import type { FourEyesServices, Guarded } from '../http/four-eyes.ts';
import { command, serve } from '../http/http.ts';
import { committed } from '../http/committed.ts';
import type { CommandCall, OperatorServices } from '../http/http.ts';
import { limitFields, readTiers, tierField } from '../http/limit-fields.ts';
import { readOperatorLimits } from '../http/operator-limits.ts';
import type { Answer } from '../http/problem.ts';
import { currencyOf, invalid } from '../http/request.ts';
import { openTable } from '../store/table.ts';
import { setWalletLimits } from '../store/wallet-limits.ts';
import type { LimitsRequest } from '../store/wallet-limits.ts';
import { getWallet } from '../store/wallets.ts';
import { walletLimitsView } from '../views/wallet-view.ts';

const body = z
  .strictObject({
    reason: fields.text(128),
    limits: z.optional(limitFields),
    tier: z.optional(tierField),
    version: z.optional(z.int().check(z.minimum(0))),
  })
  .check(
    z.refine(({ limits, tier }) => (limits === undefined) !== (tier === undefined), {
      message: 'is required, unless tier is given in its place',
      path: ['limits'],
    }),
  );

/** The services of the route. */
export interface LimitServices extends OperatorServices, FourEyesServices {
  readonly tiers: Tiers;
}

type LimitsCall = CommandCall<z.output<typeof body>>;

/**
 * `PUT /wallets/{walletId}/limits`: replaces all limits of a wallet, by new ones or by those of a tier. `limits: {}`
 * removes them. Owners do not set the limits of their own wallets. A credit line is money that the wallet may spend. So
 * an operator gives at most what it may charge, unless `credit` has an operator limit of its own. A line that the wallet has
 * already may stay. A change that raises
 * a limit may need the approval of a second operator.
 */
export const setLimits = command<typeof body, LimitServices>({
  name: 'set-limits',
  body,
  async handle(call, services) {
    const { caller, path, body, operation } = call;
    const { tiers, operatorLimits, fourEyes } = services;
    const walletId = path['walletId'] ?? '';
    const { reason, tier, version } = body;
    const currency = currencyOf(walletId);
    const limits = tier === undefined ? body.limits : limitsOfTier(tiers, tier, currency);
    const credit = { amount: limits?.creditLine ?? 0, currency };
    // It holds for a larger credit line only: else an operator could not change another limit of a wallet with a large one.
    const overCredit = overOperatorLimit(operatorLimits, 'credit', caller, credit, 'charge');
    const change = { walletId, limits: limits ?? {}, tier, reason, expectedVersion: version, overCredit };
    // A tier may have been removed, or an operator limit lowered, since the first request with this key. So a used key
    // decides first.
    const refusal =
      limits === undefined ? invalid([{ path: 'tier', message: `is no tier here: "${tier}"` }]) : undefined;
    if (operation.approval !== undefined) return setAsApproved(call, services, change, refusal);
    const isGuarded = fourEyes?.limits === true;
    return isGuarded ? setOrAsk(call, services, change, refusal) : set(call, services, change, refusal);
  },
});

async function set(
  { operation }: LimitsCall,
  { table }: LimitServices,
  change: LimitsRequest,
  refusal?: WalletError,
): Promise<Answer> {
  const { wallet, replayed } = await setWalletLimits(table, operation, change, refusal);
  return committed(200, walletLimitsView(wallet), replayed);
}

/**
 * Sets limits that are not higher than those of the wallet, and asks for the approval of all others. Takes one read more than
 * the command.
 */
async function setOrAsk(
  call: LimitsCall,
  services: LimitServices,
  change: LimitsRequest,
  ofTier: WalletError | undefined,
): Promise<Answer> {
  const { walletId, limits, expectedVersion, overCredit } = change;
  const { principal } = call.operation;
  const wallet = await getWallet(services.table, walletId, { consistent: true });
  const { limitsVersion = 0 } = wallet ?? {};
  const isMoreCredit = (limits.creditLine ?? 0) > (wallet?.limits?.creditLine ?? 0);
  const refusal = ofTier ?? (isMoreCredit ? overCredit : undefined);
  const askRefusal = limitsRefusal(wallet, { principal, expectedVersion });
  const guarded: Guarded = {
    facts: { command: 'set-limits', walletIds: [walletId], limits, limitsVersion },
    refusal,
    look: () => Promise.resolve({ askRefusal }),
  };
  if (refusal !== undefined || raisesLimits(wallet?.limits, limits)) {
    const asked = await askIfNeeded(services, call, guarded);
    return asked.answer ?? set(call, services, change, asked.refusal);
  }
  // It must replace the limits that it was compared with, also where the request names a version that is still to come.
  const lowering = { ...change, expectedVersion: limitsVersion };
  return set(call, services, lowering, askRefusal).catch(async (error: unknown) => {
    if (!(error instanceof WalletError)) throw error;
    if (error.code === 'limits_changed' && expectedVersion === undefined) {
      throw new WalletError('busy', { retryAfterSeconds: 1 }, { cause: error });
    }
    if (error.code !== 'idempotency_key_reused') throw error;
    // The key may have asked for this change when it still raised a limit.
    const { answer } = await askIfNeeded(services, call, { ...guarded, refusal: error });
    if (answer === undefined) throw error;
    return answer;
  });
}

/** Sets limits that a second operator approved: exactly those that the approval shows, in place of those that the asker saw. */
async function setAsApproved(
  call: LimitsCall,
  services: LimitServices,
  change: LimitsRequest,
  refused: WalletError | undefined,
): Promise<Answer> {
  const { limits: asked, limitsVersion } = call.operation.approval?.asked ?? {};
  const { walletId, limits, tier, expectedVersion = limitsVersion } = change;
  const isOther = tier !== undefined && fingerprintOf([limits]) !== fingerprintOf([asked]);
  const detail = `the tier ${tier} gives other limits than when this was asked for: reject it, and ask again`;
  const facts = { command: 'set-limits', walletIds: [walletId], limits, limitsVersion: expectedVersion } as const;
  const { refusal } = await askIfNeeded(services, call, {
    facts,
    refusal: isOther ? new WalletError('approval_expired', { detail }) : refused,
  });
  return set(call, services, { ...change, expectedVersion }, refusal);
}

export const open = (environment: Environment<'set-limits'>) =>
  serve(setLimits, {
    table: openTable(dynamodbClient(), environment.TABLE_NAME),
    tiers: readTiers(environment.TIERS),
    operatorLimits: readOperatorLimits(environment.OPERATOR_LIMITS),
    fourEyes: readFourEyes(environment.FOUR_EYES),
  });
