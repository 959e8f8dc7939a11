import type { APIGatewayProxyEvent } from 'aws-lambda';
import type * as z from 'zod/mini';
import { maxBodyBytes } from '../contract.ts';
import type { routes } from '../contract.ts';
import { WalletError } from '../domain/errors.ts';
import type { InvalidField } from '../domain/errors.ts';
import {
  currencyOfWalletId,
  isApprovalId,
  isBatchId,
  isReceiptCode,
  isStandingOrderId,
  isStatementId,
  isTransactionId,
  isWalletId,
  isWebhookId,
} from '../domain/ids.ts';
import { walletNotFound } from '../domain/wallet.ts';
import { doubtfulNames, parseExact } from '../domain/json.ts';

/**
 * Returns the currency of the wallet that an id names.
 *
 * @throws WalletError `wallet_not_found` when the text cannot be a wallet's id
 */
export function currencyOf(walletId: string): string {
  const currency = currencyOfWalletId(walletId);
  if (currency === undefined) throw walletNotFound(walletId);
  return currency;
}

/** Refuses money of one currency for a wallet of another. An absent `given` agrees with every currency. */
export function requireCurrency(given: string | undefined, wallet: string): void {
  if (given === undefined || given === wallet) return;
  throw new WalletError('currency_mismatch', { detail: `the wallet holds ${wallet}, the request is about ${given}` });
}

/** The format of an Idempotency-Key: 1–255 printable ASCII characters. */
export const idempotencyKeyFormat = /^[\x20-\x7e]{1,255}$/;

/** Returns the Idempotency-Key header. */
export function idempotencyKeyOf(event: APIGatewayProxyEvent): string {
  const key = headerOf(event, 'Idempotency-Key')?.trim();
  if (key === undefined || key === '') throw new WalletError('idempotency_key_required');
  if (!idempotencyKeyFormat.test(key)) {
    throw invalid([{ path: 'Idempotency-Key', message: 'must be 1 to 255 printable ASCII characters' }]);
  }
  return key;
}

type ParametersOf<Path extends string> = Path extends `${string}{${infer Name}}${infer Rest}`
  ? Name | ParametersOf<Rest>
  : never;
type PathParameter = ParametersOf<(typeof routes)[number]['path']>;

/** The formats of path parameters. A parameter without a format does not compile. */
const pathFormats: Readonly<Record<PathParameter, { isValid: (text: string) => boolean; refusal: () => WalletError }>> =
  {
    walletId: { isValid: isWalletId, refusal: () => new WalletError('wallet_not_found') },
    transactionId: { isValid: isTransactionId, refusal: () => new WalletError('transaction_not_found') },
    receiptCode: { isValid: isReceiptCode, refusal: () => new WalletError('transaction_not_found') },
    standingOrderId: { isValid: isStandingOrderId, refusal: () => new WalletError('standing_order_not_found') },
    approvalId: { isValid: isApprovalId, refusal: () => new WalletError('approval_not_found') },
    webhookId: { isValid: isWebhookId, refusal: () => new WalletError('webhook_not_found') },
    statementId: { isValid: isStatementId, refusal: () => new WalletError('statement_not_found') },
    batchId: { isValid: isBatchId, refusal: () => new WalletError('batch_not_found') },
  };

/**
 * Returns the path's parameters by name. Refuses an id that the service cannot have made, without a read.
 *
 * @throws WalletError `wallet_not_found`, `transaction_not_found`, `approval_not_found`, `batch_not_found`,
 * `standing_order_not_found`, `webhook_not_found`, `statement_not_found`
 */
export function pathOf(event: APIGatewayProxyEvent): Record<string, string> {
  const given = Object.entries(event.pathParameters ?? {}).map(([name, value = '']) => [name, value] as const);
  for (const [name, value] of given) {
    const format = pathFormats[name as PathParameter];
    if (!format.isValid(value)) throw format.refusal();
  }
  return Object.fromEntries(given);
}

/**
 * Returns the body as the schema describes it. An absent body is an empty object, so that routes without fields need
 * none.
 */
export function bodyOf<S extends z.ZodMiniType>(event: APIGatewayProxyEvent, schema: S): z.output<S> {
  return checkFields(schema, readJson(event));
}

/** Returns the query as the schema describes it. A parameter that is given twice is refused. */
export function queryOf<S extends z.ZodMiniType>(event: APIGatewayProxyEvent, schema: S): z.output<S> {
  const query = event.multiValueQueryStringParameters ?? {};
  const repeated = Object.keys(query).filter((name) => (query[name]?.length ?? 0) > 1);
  if (repeated.length > 0) throw invalid(repeated.map((path) => ({ path, message: 'must be given once' })));
  return checkFields(schema, event.queryStringParameters ?? {});
}

/** Refuses every query parameter, for routes that take none. */
export function refuseQuery(event: APIGatewayProxyEvent): void {
  const names = Object.keys(event.multiValueQueryStringParameters ?? {});
  if (names.length > 0) throw invalid(names.map((path) => ({ path, message: 'is not a known parameter' })));
}

/**
 * Returns a header's value. The case of the header's name does not matter.
 *
 * @throws WalletError `invalid_request` when it is given twice, as the standard does not define which one counts
 */
export function headerOf(event: APIGatewayProxyEvent, name: string): string | undefined {
  const [value, ...others] = headersOf(event, name);
  if (others.length > 0) throw invalid([{ path: name, message: 'must be given once' }]);
  return value;
}

/** Returns all values of a header that may be given several times. */
export function headersOf(event: Pick<APIGatewayProxyEvent, 'multiValueHeaders'>, name: string): string[] {
  const lowerCaseName = name.toLowerCase();
  return Object.entries(event.multiValueHeaders).flatMap(([header, values]) =>
    header.toLowerCase() === lowerCaseName ? (values ?? []) : [],
  );
}

/** Returns an `invalid_request` with its invalid fields. */
export function invalid(errors: readonly InvalidField[]): WalletError {
  return new WalletError('invalid_request', { errors });
}

function readJson(event: APIGatewayProxyEvent): unknown {
  return event.body === null || event.body === ''
    ? {}
    : valueOf(textOf(event, { mediaType: 'application/json', mostBytes: maxBodyBytes }));
}

/**
 * Returns the text of a body of this media type.
 *
 * @throws WalletError `unsupported_media_type`, `payload_too_large`, `invalid_request` for bytes that are not UTF-8
 */
export function textOf(
  event: APIGatewayProxyEvent,
  { mediaType, mostBytes }: { readonly mediaType: string; readonly mostBytes: number },
): string {
  requireMediaType(event, mediaType);
  const text = event.body ?? '';
  const body = Buffer.from(text, event.isBase64Encoded ? 'base64' : 'utf8');
  if (body.byteLength > mostBytes) {
    throw new WalletError('payload_too_large', { detail: `the limit is ${String(mostBytes)} bytes` });
  }
  return event.isBase64Encoded ? orNotJson(() => utf8.decode(body)) : text;
}

/**
 * Returns the value of a JSON text, with exact numbers and without names on which parsers disagree.
 *
 * @throws WalletError `invalid_request`
 */
export function valueOf(text: string): unknown {
  const value = orNotJson(() => parseExact(text));
  const doubtful = doubtfulNames(text);
  if (doubtful.length > 0) throw invalid(doubtful.slice(0, mostErrors));
  return value;
}

function orNotJson<T>(read: () => T): T {
  try {
    return read();
  } catch (error) {
    throw new WalletError('invalid_request', { errors: [{ path: '', message: 'must be JSON' }] }, { cause: error });
  }
}

/** Throws for bytes that are not UTF-8. Keeps a byte order mark, which is then refused: JSON begins with none. */
const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** Content codings that the gateway decodes. */
const decodedCodings = ['identity', 'gzip', 'deflate'];

/**
 * Throws for a body that is not JSON of this media type in UTF-8.
 *
 * @throws WalletError `unsupported_media_type`
 */
function requireMediaType(event: APIGatewayProxyEvent, required: string): void {
  const [mediaType, ...parameters] = (headerOf(event, 'Content-Type') ?? '')
    .split(';')
    .map((part) => part.trim().toLowerCase());
  if (mediaType !== required) {
    throw new WalletError('unsupported_media_type', { detail: `the request body must be ${required}` });
  }
  if (parameters.some((parameter) => parameter.startsWith('charset') && !/^charset="?utf-8"?$/.test(parameter))) {
    throw new WalletError('unsupported_media_type', { detail: 'JSON is UTF-8: omit the charset, or give utf-8' });
  }
  const coding = headerOf(event, 'Content-Encoding')?.trim().toLowerCase() ?? 'identity';
  if (!decodedCodings.includes(coding)) {
    throw new WalletError('unsupported_media_type', { detail: 'Content-Encoding may be gzip, deflate or identity' });
  }
}

/** Most errors that one answer lists. */
export const mostErrors = 20;

/**
 * Returns a value as the schema describes it.
 *
 * @throws WalletError `invalid_request` with the defects
 */
export function checkFields<S extends z.ZodMiniType>(schema: S, value: unknown): z.output<S> {
  const result = schema.safeParse(value, { reportInput: true, error: wordsOf });
  if (result.success) return result.data;
  throw invalid(
    result.error.issues.slice(0, mostErrors).flatMap(({ path, message, ...issue }) =>
      // An unknown field is an issue of its parent. The caller looks for the field.
      issue.code === 'unrecognized_keys'
        ? issue.keys
            .slice(0, mostErrors)
            .map((key) => ({ path: [...path, key].join('.'), message: 'is not a known field' }))
        : // a sent value is never undefined
          [{ path: path.join('.'), message: issue.input === undefined ? 'is required' : message }],
    ),
  );
}

/** Returns a message about a field whose schema has no text for it, without the validator's own texts. */
function wordsOf(issue: z.core.$ZodRawIssue): string {
  switch (issue.code) {
    case 'invalid_type':
      return `must be ${typeWords[issue.expected] ?? 'of another type'}`;
    case 'invalid_value':
      return `must be ${issue.values.length > 1 ? 'one of ' : ''}${issue.values.map(String).join(', ')}`;
    case 'too_small':
      return `must have at least ${String(issue.minimum)} ${unitWords[issue.origin] ?? 'as its value'}`;
    case 'too_big':
      return `must have at most ${String(issue.maximum)} ${unitWords[issue.origin] ?? 'as its value'}`;
    case 'invalid_key':
    case 'invalid_element':
      return issue.issues[0]?.message ?? 'is not valid';
    default:
      return 'is not valid';
  }
}

const typeWords: Readonly<Record<string, string>> = {
  array: 'a list',
  boolean: 'true or false',
  int: 'an integer',
  number: 'an integer',
  object: 'an object',
  record: 'an object',
  string: 'a text',
};
const unitWords: Readonly<Record<string, string>> = { array: 'elements', string: 'characters' };
