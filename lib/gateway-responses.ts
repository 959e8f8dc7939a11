import { ResponseType } from 'aws-cdk-lib/aws-apigateway';
import type { GatewayResponseOptions } from 'aws-cdk-lib/aws-apigateway';
import { errorTitles } from '../lambdas/contract.ts';
import type { ErrorCode } from '../lambdas/contract.ts';

/** A refusal that API Gateway answers itself, before or instead of a handler. */
interface Refusal {
  readonly status: number;
  readonly code: ErrorCode;
  readonly detail?: string;
  readonly headers?: Readonly<Record<string, string>>;
}

const unauthorized: Refusal = {
  status: 401,
  code: 'unauthorized',
  headers: { 'WWW-Authenticate': 'Bearer' },
};
const forbidden: Refusal = { status: 403, code: 'forbidden' };
const notFound: Refusal = { status: 404, code: 'not_found' };
const invalid: Refusal = { status: 400, code: 'invalid_request' };
const throttled: Refusal = {
  status: 429,
  code: 'rate_limited',
  detail: 'The service as a whole is receiving too many requests a second',
  headers: { 'Retry-After': '1' },
};
const internal: Refusal = { status: 500, code: 'internal_error' };
/** The authorizer threw: its answer would be about the token, and this one is about the service. */
const notChecked: Refusal = {
  status: 503,
  code: 'token_not_checked',
  headers: { 'Retry-After': '10' },
};
const busy: Refusal = {
  status: 503,
  code: 'busy',
  headers: { 'Retry-After': '1' },
};

const refusals: readonly (readonly [ResponseType, Refusal])[] = [
  [ResponseType.UNAUTHORIZED, unauthorized],
  [ResponseType.EXPIRED_TOKEN, unauthorized],
  [ResponseType.INVALID_SIGNATURE, unauthorized],
  [ResponseType.ACCESS_DENIED, forbidden],
  [ResponseType.INVALID_API_KEY, forbidden],
  [ResponseType.WAF_FILTERED, forbidden],
  // A REST API's answer for a route that does not exist, despite its name.
  [ResponseType.MISSING_AUTHENTICATION_TOKEN, notFound],
  [ResponseType.RESOURCE_NOT_FOUND, notFound],
  [ResponseType.BAD_REQUEST_BODY, invalid],
  [ResponseType.BAD_REQUEST_PARAMETERS, invalid],
  [ResponseType.DEFAULT_4XX, invalid],
  [ResponseType.REQUEST_TOO_LARGE, { status: 413, code: 'payload_too_large' }],
  [ResponseType.UNSUPPORTED_MEDIA_TYPE, { status: 415, code: 'unsupported_media_type' }],
  [ResponseType.THROTTLED, throttled],
  [ResponseType.QUOTA_EXCEEDED, throttled],
  [ResponseType.INTEGRATION_TIMEOUT, busy],
  [ResponseType.INTEGRATION_FAILURE, internal],
  [ResponseType.API_CONFIGURATION_ERROR, internal],
  [ResponseType.AUTHORIZER_CONFIGURATION_ERROR, internal],
  [ResponseType.AUTHORIZER_FAILURE, notChecked],
  [ResponseType.DEFAULT_5XX, internal],
];

/** As in the handlers' answers. */
const headersOfEach = {
  'Content-Type': 'application/problem+json',
  'Cache-Control': 'no-store',
  'X-Content-Type-Options': 'nosniff',
};

/**
 * Returns API Gateway's own answers as problem+json in the contract's codes, by id.
 *
 * @param allowedOrigins the origins whose pages may read them
 */
export function gatewayResponses(allowedOrigins: readonly string[]): readonly GatewayResponseOptions[] {
  return refusals.map(([type, { status, code, detail, headers }]) => ({
    type,
    statusCode: String(status),
    responseHeaders: {
      ...Object.fromEntries(
        Object.entries({ ...headersOfEach, ...headers }).map(([name, value]) => [name, `'${value}'`]),
      ),
      ...(allowedOrigins.length > 0 && { 'Access-Control-Allow-Origin': allowedOrigin(allowedOrigins) }),
    },
    // The key chooses the template; the client sees the header above.
    templates: {
      'application/json': JSON.stringify({
        type: 'about:blank',
        // As in the handlers' answers, so that a client cannot see the source of the refusal.
        title: errorTitles[code],
        status,
        code,
        detail,
        requestId: '$context.requestId',
      }),
    },
  }));
}

/**
 * Returns the origin that may read the gateway's own answers. The gateway cannot choose among several. So with several,
 * every origin may read these answers: they hold no data.
 */
function allowedOrigin(origins: readonly string[]): string {
  const [only, ...others] = origins;
  return others.length === 0 ? `'${String(only)}'` : 'method.request.header.Origin';
}
