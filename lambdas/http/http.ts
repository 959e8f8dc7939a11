import middy from '@middy/core';
import type { MiddlewareObj } from '@middy/core';
import type { APIGatewayProxyEvent, APIGatewayProxyResult } from 'aws-lambda';
import type * as z from 'zod/mini';
import { nameOfRoute, routes } from '../contract.ts';
import type { Route, RouteAccess, RouteName } from '../contract.ts';
import { actorOf } from '../domain/actor.ts';
import { WalletError } from '../domain/errors.ts';
import { fingerprintOf, transactionIdOf } from '../domain/ids.ts';
import { jsonOf } from '../domain/money.ts';
import type { OperatorLimits } from '../domain/operator-limits.ts';
import type { Operation } from '../store/operations.ts';
import type { RateLimit } from '../store/rate-window.ts';
import { forRequest } from '../store/table.ts';
import type { Table } from '../store/table.ts';
import { callerOf } from './caller.ts';
import type { Caller } from './caller.ts';
import { replayHeader } from './committed.ts';
import { corsHeaders, varyingByOrigin } from './cors.ts';
import { withinLimits } from './limits.ts';
import type { Limits } from './limits.ts';
import { problem } from './problem.ts';
import type { Answer } from './problem.ts';
import { bodyOf, checkFields, idempotencyKeyOf, pathOf, queryOf, refuseQuery } from './request.ts';
import { beginRequest, countRequest, describe, logger, nameRequest } from '../aws/telemetry.ts';

/** The services of every route. */
export interface RouteServices {
  readonly table: Table;
  readonly limits?: Limits;
}

/** The services of routes whose amounts are limited for operators. Without `operatorLimits` no amount is limited. */
export interface OperatorServices extends RouteServices {
  readonly operatorLimits?: OperatorLimits;
}

/** The services of the routes of end users. */
export interface LimitedServices extends RouteServices {
  readonly limits: Limits;
}

/** A route: its name, its body and its work. Services are passed in, so that a test can replace them. */
export interface RouteHandler<S> {
  readonly name: RouteName;
  readonly body?: z.ZodMiniType;
  readonly query?: z.ZodMiniType;
  /** The media type of the body, where it is not `application/json`. */
  readonly mediaType?: string;
  /** Whether it may change something. */
  readonly isCommand: boolean;
  /** Whether it needs an Idempotency-Key. */
  readonly isKeyed: boolean;
  readonly handle: (event: APIGatewayProxyEvent, services: S) => Promise<Answer>;
}

/** A request for a command. */
export interface CommandCall<B> {
  readonly caller: Caller;
  /** Path parameters by name. */
  readonly path: Readonly<Record<string, string>>;
  readonly body: B;
  readonly operation: Operation;
  /** The id of this command's transaction. */
  readonly transactionId: string;
  /** The allowance to count the command in; operators have none. */
  readonly rate: RateLimit | undefined;
  readonly event: APIGatewayProxyEvent;
}

/** A request with `dryRun`, for a command that is not executed. */
export interface DryRunCall<B> extends Pick<CommandCall<B>, 'caller' | 'path' | 'body'> {
  /** ISO 8601 UTC. */
  readonly at: string;
}

/**
 * A route of a command, whose work another route can do too: the approval of a command executes it. `W` has the services of
 * the work, and `S` those of the route.
 */
export interface CommandRoute<W, S = W> extends RouteHandler<S> {
  /** Does the work for a body that was stored. Validates it again. */
  readonly perform: (call: CommandCall<unknown>, services: W) => Promise<Answer>;
}

/**
 * Returns a route with an Idempotency-Key. Its body is validated before anything happens. A dry run counts as a read, and
 * leaves the key unused.
 */
export function command<B extends z.ZodMiniType, W extends RouteServices = LimitedServices, S extends W = W>(route: {
  name: RouteName;
  body: B;
  /** The media type of a body that `read` reads; both are absent where it is one JSON value. */
  mediaType?: string;
  read?: (event: APIGatewayProxyEvent) => z.output<B>;
  handle: (call: CommandCall<z.output<B>>, services: W) => Promise<Answer>;
  /** Answers a body with `dryRun`; absent where the body has no such member. */
  dryRun?: (call: DryRunCall<z.output<B>>, services: S) => Answer | Promise<Answer>;
}): CommandRoute<W, S> {
  const access = accessOf(route.name);
  const { dryRun, read = (event: APIGatewayProxyEvent) => bodyOf(event, route.body) } = route;
  return {
    ...route,
    isCommand: true,
    isKeyed: true,
    perform: (call, services) => route.handle({ ...call, body: checkFields(route.body, call.body) }, services),
    async handle(event, services) {
      const caller = callerOf(event, access);
      const request = outcomeOf(() => requestOf(event, read));
      const at = new Date(services.table.now()).toISOString();
      if (dryRun !== undefined && 'value' in request && isDryRun(request.value.body)) {
        const { path, body } = request.value;
        return withinLimits(services, caller, 'read', async () => dryRun({ caller, path, body, at }, services));
      }
      return withinLimits(services, caller, 'command', async ({ readFirst, refuseIfNew }) => {
        // Thrown here, so that a bad request counts.
        if ('error' in request) throw request.error;
        const { path, idempotencyKey, body } = request.value;
        const operation: Operation = {
          ...actorOf(caller),
          idempotencyKey,
          fingerprint: fingerprintOf([route.name, path, body]),
          at,
        };
        const transactionId = transactionIdOf(operation.principal, idempotencyKey);
        nameRequest({ transactionId });
        await refuseIfNew(transactionId);
        const rate = rateOf(caller, route.name, services, readFirst);
        // By the gateway's clock. docs/invariants.md, Clocks, says what a wrong clock of this machine does.
        const table = forRequest(services.table, requestedAt(event) ?? services.table.now());
        return route
          .handle({ caller, path, body, operation, transactionId, rate, event }, { ...services, table })
          .catch((error: unknown) => {
            throw shownTo(caller, error);
          });
      });
    },
  };
}

/** Returns an error without the transaction that has a reference, unless the caller reads all, or has made it. */
function shownTo({ principal, readsAll }: Caller, error: unknown): unknown {
  if (!(error instanceof WalletError) || error.code !== 'reference_taken') return error;
  const isShown = readsAll || error.details.takenBy === principal;
  return isShown ? error : new WalletError('reference_taken', {}, { cause: error });
}

/**
 * Returns the parts of a command's request.
 *
 * @throws WalletError for a part that is not valid
 */
function requestOf<B>(event: APIGatewayProxyEvent, read: (event: APIGatewayProxyEvent) => B) {
  const path = pathOf(event);
  refuseQuery(event);
  return { path, idempotencyKey: idempotencyKeyOf(event), body: read(event) };
}

/** Returns the result of some work, or its error. */
function outcomeOf<T>(work: () => T): { readonly value: T } | { readonly error: unknown } {
  try {
    return { value: work() };
  } catch (error) {
    return { error };
  }
}

function isDryRun(body: unknown): boolean {
  return typeof body === 'object' && body !== null && 'dryRun' in body;
}

/** Returns when the gateway took the request, epoch ms; undefined when another caller invokes the function. */
function requestedAt({ requestContext }: APIGatewayProxyEvent): number | undefined {
  return (requestContext as Partial<typeof requestContext>).requestTimeEpoch;
}

/** Returns the limit that a command counts against; undefined for operators, and for routes that limit no commands. */
function rateOf(
  { ownerId, principal }: Caller,
  operation: string,
  { limits }: RouteServices,
  readFirst: boolean,
): RateLimit | undefined {
  if (ownerId === undefined || limits?.commandsPerHour === undefined) return undefined;
  return { principal, operation, perHour: limits.commandsPerHour, readFirst };
}

/** A request for a query. */
export interface QueryCall<Q> {
  readonly caller: Caller;
  readonly path: Readonly<Record<string, string>>;
  readonly query: Q;
  readonly event: APIGatewayProxyEvent;
}

/** Returns a GET route. Unknown query parameters are refused. */
export function query<Q extends z.ZodMiniType, S extends RouteServices = LimitedServices>(route: {
  name: RouteName;
  query: Q;
  handle: (call: QueryCall<z.output<Q>>, services: S) => Promise<Answer>;
}): RouteHandler<S> {
  const access = accessOf(route.name);
  return {
    ...route,
    isCommand: false,
    isKeyed: false,
    handle(event, services) {
      const caller = callerOf(event, access);
      return withinLimits(services, caller, 'read', async () =>
        route.handle({ caller, path: pathOf(event), query: queryOf(event, route.query), event }, services),
      );
    },
  };
}

/** A request for a replacement. */
export interface ReplacementCall<B> {
  readonly caller: Caller;
  readonly path: Readonly<Record<string, string>>;
  readonly body: B;
}

/** Returns a PUT route. A repetition changes nothing, so it takes no Idempotency-Key. */
export function replacement<B extends z.ZodMiniType, S extends RouteServices = LimitedServices>(route: {
  name: RouteName;
  body: B;
  handle: (call: ReplacementCall<z.output<B>>, services: S) => Promise<Answer>;
}): RouteHandler<S> {
  const access = accessOf(route.name);
  return {
    ...route,
    isCommand: true,
    isKeyed: false,
    handle(event, services) {
      const caller = callerOf(event, access);
      return withinLimits(services, caller, 'read', async () => {
        refuseQuery(event);
        return route.handle({ caller, path: pathOf(event), body: bodyOf(event, route.body) }, services);
      });
    },
  };
}

/** Returns the scopes that open a route, from the contract. */
export function accessOf(name: RouteName): RouteAccess {
  const route: Route | undefined = routes.find((one) => nameOfRoute(one) === name);
  if (route === undefined || 'open' in route) throw new Error(`the contract has no scopes for ${name}`);
  return route;
}

/**
 * Returns a route as a Lambda handler: JSON in, JSON or problem+json out. A command logs one line with its ids, status
 * and duration, from which CloudWatch takes the metrics `CommandDuration`, `Replays`, `Refused.<code>` and `Faults`. A
 * query that succeeds has a line only in the gateway's access log, as a second one would cost more than the read. A query
 * that fails logs as commands do. An error other than `WalletError` is answered as `internal_error`, without its message, and logged with
 * its stack.
 */
export function serve<S>(route: RouteHandler<S>, services: S) {
  return middy<APIGatewayProxyEvent, APIGatewayProxyResult>()
    .use(shell(route))
    .handler(async (event: APIGatewayProxyEvent) => toResult(await route.handle(event, services), event));
}

function shell({ name, isCommand }: RouteHandler<never>): MiddlewareObj<APIGatewayProxyEvent, APIGatewayProxyResult> {
  let startedAt = 0;
  const identify = ({ requestContext, pathParameters }: APIGatewayProxyEvent, invocationId: string) => {
    const { principal } = (requestContext.authorizer ?? {}) as { principal?: string };
    const walletId = pathParameters?.['walletId'];
    beginRequest(name, {
      // The access log and the caller know the request by the gateway's id, Lambda's own lines by the invocation's.
      requestId: requestContext.requestId,
      invocationId,
      ...(principal !== undefined && { principal }),
      ...(walletId !== undefined && { walletId }),
    });
  };
  const outcome = (status: number, durationMs = performance.now() - startedAt) => ({
    status: String(status),
    durationMs: String(Math.round(durationMs)),
  });
  return {
    before({ event, context }) {
      startedAt = performance.now();
      if (isCommand) identify(event, context.awsRequestId);
      // Its lines must not carry the fields of the request before.
      else beginRequest(name, {});
    },
    after({ response }) {
      if (!isCommand) return;
      const durationMs = performance.now() - startedAt;
      const isReplay = response?.headers?.[replayHeader] !== undefined;
      countRequest({ kind: 'command', durationMs, isReplay }, outcome(response?.statusCode ?? 0, durationMs));
    },
    onError(request) {
      const { error, event, context } = request;
      const refusal =
        error instanceof WalletError ? error : new WalletError('internal_error', {}, { cause: error ?? undefined });
      const answer = problem(refusal, event.requestContext.requestId);
      if (!isCommand) identify(event, context.awsRequestId);
      const { code } = refusal;
      countRequest(answer.status < 500 ? { kind: 'refusal', code } : { kind: 'fault' }, {
        ...outcome(answer.status),
        code,
      });
      if (answer.status >= 500) logger.error('request failed', { code: refusal.code, error: describe(refusal) });
      request.response = toResult(answer, event);
    },
  };
}

function toResult({ status, body, text, headers = {} }: Answer, event: APIGatewayProxyEvent): APIGatewayProxyResult {
  const { Location: location } = headers;
  return {
    statusCode: status,
    headers: {
      'Content-Type': 'application/json',
      'Cache-Control': 'no-store',
      // A text that callers wrote is never taken for markup or script.
      'X-Content-Type-Options': 'nosniff',
      // The gateway compresses answers without adding this header.
      Vary: `Authorization, Accept-Encoding${varyingByOrigin()}`,
      ...corsHeaders(event),
      ...headers,
      ...(location !== undefined && { Location: basePathOf(event) + location }),
    },
    body: text ?? (body === undefined || event.httpMethod === 'HEAD' ? '' : jsonOf(body)),
  };
}

/** Returns the part of the request's path in front of the route: the stage, or the base path of a domain name. */
function basePathOf({ resource, requestContext }: APIGatewayProxyEvent): string {
  const depth = resource.split('/').length - 1;
  return requestContext.path.replace(/\/+$/, '').split('/').slice(0, -depth).join('/');
}
