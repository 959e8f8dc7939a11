import type { APIGatewayProxyEvent } from 'aws-lambda';
import type { Environment } from '../contract.ts';
import type { BreakerState } from '../domain/breaker.ts';
import { scopesIn } from '../http/caller.ts';
import { dynamodbClient, sqsClient } from '../aws/clients.ts';
import { positiveInteger } from '../aws/environment.ts';
import { serve } from '../http/http.ts';
import type { RouteHandler, RouteServices } from '../http/http.ts';
import type { Answer } from '../http/problem.ts';
import { openQueueDepth } from '../aws/queue.ts';
import { headersOf, refuseQuery } from '../http/request.ts';
import { describe, logger } from '../aws/telemetry.ts';
import { openTokenVerifier } from '../http/tokens.ts';
import type { VerifyToken } from '../http/tokens.ts';
import { getBreaker } from '../store/breaker.ts';
import type { BreakerRecord } from '../store/breaker.ts';
import { earliestDue, listReviews } from '../store/due.ts';
import { getIssuer } from '../store/issuer.ts';
import { openTable } from '../store/table.ts';

type QueueName = 'withdrawals' | 'withdrawalsDead' | 'transfers' | 'transfersDead';

export interface HealthServices extends RouteServices {
  readonly verify: VerifyToken;
  /** Functions that return the number of messages in each queue. */
  readonly depths: Readonly<Record<QueueName, () => Promise<number>>>;
}

/**
 * `GET /health`: whether the service can do its work, for every caller. With an operator's token it also shows how much
 * work waits. A bank that is down does not make the service unhealthy: withdrawals are accepted, and wait.
 */
export const health: RouteHandler<HealthServices> = {
  name: 'health',
  isCommand: false,
  isKeyed: false,
  async handle(event, services) {
    refuseQuery(event);
    try {
      const breaker = await getBreaker(services.table);
      if (!(await isOperator(event, services))) return { status: 200, body: { status: 'ok' } };
      const [withdrawals, withdrawalsDead, transfers, transfersDead, due, reviews] = await Promise.all([
        services.depths.withdrawals(),
        services.depths.withdrawalsDead(),
        services.depths.transfers(),
        services.depths.transfersDead(),
        earliestDue(services.table),
        listReviews(services.table),
      ]);
      const lateMs = due === undefined ? 0 : Math.max(0, services.table.now() - Date.parse(due));
      return {
        status: 200,
        body: {
          status: 'ok',
          queues: {
            withdrawals: { depth: withdrawals, deadLetters: withdrawalsDead },
            transfers: { depth: transfers, deadLetters: transfersDead },
          },
          oldestDueAgeSeconds: Math.floor(lateMs / 1000),
          inReview: reviews,
          bank: { breaker: breakerState(breaker, services.table.now()), since: breaker?.since },
        },
      };
    } catch (error) {
      logger.error('unhealthy', { error: describe(error) });
      return unavailable;
    }
  },
};

/**
 * A breaker that is not closed calls the bank within five minutes while there is work (lambdas/domain/withdrawal.ts).
 */
const breakerSilenceMs = 600_000;

/**
 * Returns the last reported state of a container's breaker. Returns unknown after a long silence, because the container
 * may have ended.
 */
function breakerState(breaker: BreakerRecord | undefined, now: number): BreakerState | 'unknown' {
  if (breaker === undefined || breaker.state === 'closed') return 'closed';
  return now - Date.parse(breaker.since) > breakerSilenceMs ? 'unknown' : breaker.state;
}

const unavailable: Answer = { status: 503, body: { status: 'unavailable' }, headers: { 'Retry-After': '5' } };

/**
 * Returns whether the caller is an operator. The gateway checks no token here, so that load balancers need none. Tokens
 * of an issuer that the authorizer refuses show no details either.
 */
async function isOperator(event: APIGatewayProxyEvent, { verify, table }: HealthServices): Promise<boolean> {
  const [authorization, ...others] = headersOf(event, 'Authorization');
  const caller = others.length > 0 ? undefined : await verify(authorization);
  if (caller === undefined || !scopesIn(caller.scopes).has('support')) return false;
  const first = await getIssuer(table);
  return first === undefined || first === caller.issuer;
}

export function open(environment: Environment<'health'>) {
  const sqs = sqsClient();
  return serve(health, {
    table: {
      ...openTable(dynamodbClient(), environment.TABLE_NAME),
      dueShards: positiveInteger(environment, 'DUE_SHARDS'),
    },
    verify: openTokenVerifier(environment),
    depths: {
      withdrawals: openQueueDepth(sqs, environment.WITHDRAWAL_QUEUE_URL),
      withdrawalsDead: openQueueDepth(sqs, environment.WITHDRAWAL_DLQ_URL),
      transfers: openQueueDepth(sqs, environment.TRANSFER_QUEUE_URL),
      transfersDead: openQueueDepth(sqs, environment.TRANSFER_DLQ_URL),
    },
  });
}
