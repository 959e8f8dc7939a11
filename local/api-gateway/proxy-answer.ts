/** The Lambda proxy integration: makes an HTTP answer of a function's answer. */
import { isRecord } from '../cloudformation/template.ts';
import type { Answer } from './gateway-responses.ts';

// API Gateway keeps these for itself and hands the function's own value on under another name.
const remapped = new Set([
  'authorization',
  'connection',
  'content-md5',
  'date',
  'expect',
  'host',
  'max-forwards',
  'proxy-authenticate',
  'server',
  'trailer',
  'upgrade',
  'user-agent',
  'warn',
  'www-authenticate',
]);
const dropped = new Set(['content-length', 'te', 'transfer-encoding']);
const maxAnswerBytes = 6 * 1024 * 1024;

/** Returns the HTTP answer; undefined when the function's is malformed. The client then gets a 502. */
export function readProxyAnswer(answer: unknown): Answer | undefined {
  if (!isRecord(answer)) return undefined;
  const { statusCode, body = '', isBase64Encoded = false } = answer;
  const status = Number(statusCode);
  if (!Number.isInteger(status) || status < 100 || status > 599) return undefined;
  if ((body !== null && typeof body !== 'string') || typeof isBase64Encoded !== 'boolean') return undefined;
  const headers = readHeaders(answer['headers'], answer['multiValueHeaders']);
  if (!headers) return undefined;
  const content = Buffer.from(body ?? '', isBase64Encoded ? 'base64' : 'utf8');
  return content.length > maxAnswerBytes ? undefined : { status, headers, body: content };
}

function readHeaders(single: unknown, multiple: unknown): [string, string][] | undefined {
  const headers = new Map<string, string[]>();
  for (const [given, wrap] of [[single, true] as const, [multiple, false] as const]) {
    if (given === undefined || given === null) continue;
    if (!isRecord(given)) return undefined;
    for (const [name, value] of Object.entries(given)) {
      const values: unknown[] | undefined = wrap ? [value] : Array.isArray(value) ? value : undefined;
      if (!values?.every((item) => ['string', 'number', 'boolean'].includes(typeof item))) return undefined;
      headers.set(name.toLowerCase(), values.map(String));
    }
  }
  if (!headers.has('content-type')) headers.set('content-type', ['application/json']);
  return [...headers]
    .filter(([name]) => !dropped.has(name))
    .flatMap(([name, values]) =>
      values.map((value): [string, string] => [remapped.has(name) ? `x-amzn-remapped-${name}` : name, value]),
    );
}
