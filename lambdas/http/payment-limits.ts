import type { Environment } from '../contract.ts';
import { positiveInteger } from '../aws/environment.ts';
import type { LimitedServices, OperatorServices } from './http.ts';
import { openLimits } from './limits.ts';
import { readOperatorLimits } from './operator-limits.ts';

/** The services of the routes that open holds, capture them, refund and split. */
export type PaymentServices = LimitedServices & Pick<OperatorServices, 'operatorLimits'>;

/** Opens the limits of the routes that open holds, capture them, refund and split: each takes as many an hour as transfers. */
export function openPaymentLimits(
  environment: Environment<'open-hold'>,
): Pick<PaymentServices, 'limits' | 'operatorLimits'> {
  return {
    limits: openLimits({
      readsPerHour: positiveInteger(environment, 'READS_PER_HOUR'),
      refusalsPerHour: positiveInteger(environment, 'REFUSALS_PER_HOUR'),
      perHour: positiveInteger(environment, 'TRANSFERS_PER_HOUR'),
    }),
    operatorLimits: readOperatorLimits(environment.OPERATOR_LIMITS),
  };
}
