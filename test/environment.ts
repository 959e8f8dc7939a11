/**
 * The environment of every function, so that modules under lambdas/api and lambdas/workers can be imported in this
 * process. Import it before them: they read it while they load. Nothing answers at its addresses.
 */
import { environments } from '../lambdas/contract.ts';
import type { FraudPolicy } from '../lambdas/contract.ts';

const window = { count: 10, amount: 1_000 };
const fraudLimits: FraudPolicy = {
  outgoingPerMinute: window,
  outgoingPerHour: window,
  outgoingPerDay: window,
  inAndOut: { minutes: 10, amount: 1_000 },
  newDestination: { amount: 1_000 },
};

for (const variable of new Set(Object.values(environments).flat())) process.env[variable] ??= sampleOf(variable);
Object.assign(process.env, {
  AWS_REGION: 'us-east-1',
  AWS_ACCESS_KEY_ID: 'test',
  AWS_SECRET_ACCESS_KEY: 'test',
  // The port "discard": a call that a test did not mean to make fails at once, instead of reaching AWS.
  AWS_ENDPOINT_URL: 'http://127.0.0.1:9',
  POWERTOOLS_LOG_LEVEL: 'SILENT',
  POWERTOOLS_METRICS_DISABLED: 'true',
});

function sampleOf(variable: string): string {
  if (variable === 'FRAUD_LIMITS') return JSON.stringify(fraudLimits);
  if (variable === 'FREEZE_ON_SUSPICION') return 'false';
  if (variable === 'TOKEN_KIND') return 'oidc';
  if (/_(URL|URI|ISSUER)$/.test(variable)) return 'http://127.0.0.1:9';
  return /_(HOUR|SECONDS|ATTEMPTS|LIMIT)$/.test(variable) ? '1000' : 'sample';
}
