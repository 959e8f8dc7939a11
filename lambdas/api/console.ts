import type { APIGatewayProxyEvent, APIGatewayProxyResult } from 'aws-lambda';
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { consolePageFile } from '../contract.ts';
import type { ConsolePage, ConsoleSettings, Environment } from '../contract.ts';
import { headersOf } from '../http/request.ts';

/**
 * `GET /console`: the page for operators, the same for every caller. It holds no data: its script asks the API, with the
 * token of the operator. The policy allows that one script, and answers of this API and of the token endpoint.
 */
export function open(environment: Environment<'console'>) {
  const settings = JSON.parse(environment.CONSOLE_SETTINGS) as ConsoleSettings;
  let answer: ReturnType<typeof answerOf> | undefined;
  return (event: APIGatewayProxyEvent): Promise<APIGatewayProxyResult> => {
    // With the first request, as only the bundle has the page beside its code.
    answer ??= answerOf(readPage(), settings);
    const { ETag: etag } = answer.headers;
    const isKnown = headersOf(event, 'If-None-Match').some((tags) => tags.includes(etag));
    return Promise.resolve(isKnown ? { ...answer, statusCode: 304, body: '' } : answer);
  };
}

/** Returns the page, which lib/bundle.ts has written beside the code. */
function readPage(): ConsolePage {
  return JSON.parse(readFileSync(join(__dirname, consolePageFile), 'utf8')) as ConsolePage;
}

/** Returns the answer with the page of a deployment. */
export function answerOf({ html, scriptHash, styleHash }: ConsolePage, settings: ConsoleSettings) {
  const body = html.replace('{{settings}}', () => attributeOf(JSON.stringify(settings)));
  const { signIn } = settings;
  const policy = [
    "default-src 'none'",
    `script-src '${scriptHash}'`,
    `style-src '${styleHash}'`,
    `connect-src 'self'${signIn === undefined ? '' : ` ${new URL(signIn.tokenEndpoint).origin}`}`,
    'img-src data:',
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
    "require-trusted-types-for 'script'",
    "trusted-types 'none'",
  ];
  const etag = `"${createHash('sha256').update(body).digest('base64url').slice(0, 22)}"`;
  return {
    statusCode: 200,
    headers: {
      'Content-Type': 'text/html; charset=utf-8',
      'Content-Security-Policy': policy.join('; '),
      'Cache-Control': 'no-cache',
      ETag: etag,
      'X-Content-Type-Options': 'nosniff',
      'Referrer-Policy': 'no-referrer',
      'Cross-Origin-Opener-Policy': 'same-origin',
      'Cross-Origin-Resource-Policy': 'same-origin',
      'Permissions-Policy': 'camera=(), geolocation=(), microphone=()',
      'Strict-Transport-Security': 'max-age=31536000',
    },
    body,
  };
}

function attributeOf(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('"', '&quot;').replaceAll('<', '&lt;');
}
