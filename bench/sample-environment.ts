import { alwaysOpen, environments } from '../lambdas/contract.ts';
import type { Environment, FraudPolicy, FunctionName } from '../lambdas/contract.ts';

const window = { count: 10, amount: 1_000 };
const fraudLimits: FraudPolicy = {
  outgoingPerMinute: window,
  outgoingPerHour: window,
  outgoingPerDay: window,
  inAndOut: { minutes: 10, amount: 1_000 },
  newDestination: { amount: 1_000 },
};

/** A valid value for each variable that a function reads. No server answers at the addresses among them. */
export const sampleEnvironment: Environment<FunctionName> = Object.fromEntries(
  Object.values(environments)
    .flat()
    .map((variable) => [variable, sampleOf(variable)]),
) as Environment<FunctionName>;

function sampleOf(variable: string): string {
  if (variable === 'FRAUD_LIMITS') return JSON.stringify(fraudLimits);
  if (['OPERATOR_LIMITS', 'TIERS', 'FEES', 'REVENUE_WALLETS', 'CONSOLE_SETTINGS'].includes(variable)) return '{}';
  if (variable === 'FOUR_EYES') return '{"expiresAfterMs":86400000}';
  if (variable === 'PAYOUT_WINDOW') return alwaysOpen;
  if (variable === 'SCHEDULES') return 'true';
  if (variable === 'WEBHOOK_TARGETS') return 'public';
  if (variable === 'WEBHOOK_ENDPOINTS') return '[]';
  if (variable === 'DUE_SHARDS') return '64';
  if (variable === 'FREEZE_ON_SUSPICION') return 'false';
  if (variable === 'TOKEN_KIND') return 'oidc';
  if (/_(URL|URI|ISSUER)$/.test(variable)) return 'http://127.0.0.1:9';
  return isCount(variable) ? '1000' : 'sample';
}

/** Returns whether a variable holds a whole number, 1 or more. */
export function isCount(variable: string): boolean {
  return /_(HOURS?|MINUTE|SECONDS|SHARDS|ATTEMPTS|LIMIT)$/.test(variable);
}
