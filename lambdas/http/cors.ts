import type { APIGatewayProxyEvent } from 'aws-lambda';
import { corsVariable } from '../contract.ts';
import { headersOf } from './request.ts';

/**
 * Returns the origins whose pages may read answers; none unless the deployment names them. Read for each answer, and
 * not when this file is imported, as imports have no effect.
 */
function allowedOrigins(): readonly string[] {
  return (process.env[corsVariable] ?? '').split(' ').filter((origin) => origin !== '');
}

/** Headers of answers that scripts of a page may read, besides those that every page may. */
const exposedHeaders = [
  'ETag, Idempotency-Replayed, Location, Preference-Applied, RateLimit-Limit, RateLimit-Remaining, RateLimit-Reset',
  'Retry-After, x-amzn-RequestId',
].join(', ');

/** Returns the headers that let a page of another origin read the answer; none when CORS is off. */
export function corsHeaders(event: APIGatewayProxyEvent): Readonly<Record<string, string>> {
  const origins = allowedOrigins();
  if (origins.length === 0) return {};
  const [origin = ''] = headersOf(event, 'Origin');
  if (!origins.includes('*') && !origins.includes(origin)) return {};
  return {
    'Access-Control-Allow-Origin': origins.includes('*') ? '*' : origin,
    'Access-Control-Expose-Headers': exposedHeaders,
  };
}

/** Returns the part of `Vary` that CORS adds. */
export function varyingByOrigin(): string {
  return allowedOrigins().length === 0 ? '' : ', Origin';
}
