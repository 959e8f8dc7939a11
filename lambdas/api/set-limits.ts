import * as z from 'zod/mini';
import type { Environment } from '../contract.ts';
import { overOperatorLimit } from '../domain/operator-limits.ts';
import type { Tiers } from '../domain/tiers.ts';
import { limitsOfTier } from '../domain/tiers.ts';
import { dynamodbClient } from '../aws/clients.ts';
import { fields } from '../http/body-fields.ts';
import { command, committed, serve } from '../http/http.ts';
import type { OperatorServices } from '../http/http.ts';
import { limitFields, readTiers, tierField } from '../http/limit-fields.ts';
import { readOperatorLimits } from '../http/operator-limits.ts';
import { currencyOf, invalid } from '../http/request.ts';
import { openTable } from '../store/table.ts';
import { setWalletLimits } from '../store/wallet-limits.ts';
import { walletLimitsView } from '../views/views.ts';

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
export interface LimitServices extends OperatorServices {
  readonly tiers: Tiers;
}

/**
 * `PUT /wallets/{walletId}/limits`: replaces all limits of a wallet, by new ones or by those of a tier. `limits: {}`
 * removes them. Owners do not set the limits of their own wallets. A credit line is money that the wallet may spend, so an
 * operator gives at most what it may charge, unless `credit` has an operator limit of its own.
 */
export const setLimits = command<typeof body, LimitServices>({
  name: 'set-limits',
  body,
  async handle({ caller, path, body, operation }, { table, tiers, operatorLimits }) {
    const walletId = path['walletId'] ?? '';
    const { reason, tier, version } = body;
    const currency = currencyOf(walletId);
    const limits = tier === undefined ? body.limits : limitsOfTier(tiers, tier, currency);
    const credit = { amount: limits?.creditLine ?? 0, currency };
    const change = { walletId, limits: limits ?? {}, tier, reason, expectedVersion: version };
    // A tier may have been removed, or an operator limit lowered, since the first request with this key. So a used key
    // decides first.
    const refusal =
      limits === undefined
        ? invalid([{ path: 'tier', message: `is no tier here: "${tier}"` }])
        : overOperatorLimit(operatorLimits, 'credit', caller, credit, 'charge');
    const { wallet, replayed } = await setWalletLimits(table, operation, change, refusal);
    return committed(200, walletLimitsView(wallet), replayed);
  },
});

export const open = (environment: Environment<'set-limits'>) =>
  serve(setLimits, {
    table: openTable(dynamodbClient(), environment.TABLE_NAME),
    tiers: readTiers(environment.TIERS),
    operatorLimits: readOperatorLimits(environment.OPERATOR_LIMITS),
  });
