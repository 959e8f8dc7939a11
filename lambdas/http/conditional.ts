import type { APIGatewayProxyEvent } from 'aws-lambda';
import { fingerprintOf } from '../domain/ids.ts';
import type { Answer } from './problem.ts';
import { headersOf } from './request.ts';

/**
 * Answers with `body` and its entity tag, or with 304 when the client has it (RFC 9110, section 13.1.2).
 *
 * @param version differs for each body of the same resource; absent: a hash of the body
 */
export function conditional(event: APIGatewayProxyEvent, body: object, version = fingerprintOf(body)): Answer {
  const etag = `"${version}"`;
  // Private: a shared cache must not hold it. no-cache: keep it, but ask with If-None-Match before using it.
  const headers = { ETag: etag, 'Cache-Control': 'private, no-cache' };
  const isKnown = headersOf(event, 'If-None-Match')
    .flatMap((line) => line.split(','))
    .map((tag) => tag.trim().replace(/^W\//, ''))
    .some((tag) => tag === etag || tag === '*');
  return isKnown ? { status: 304, headers } : { status: 200, body, headers };
}
