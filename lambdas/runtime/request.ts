import type { APIGatewayProxyEvent } from 'aws-lambda';
import * as z from 'zod';
import { maxBodyBytes } from '../contract.ts';
import { WalletError } from '../domain/errors.ts';
import type { InvalidField } from '../domain/errors.ts';
import { maxAmount } from '../domain/money.ts';
import { walletNotFound } from '../domain/wallet.ts';
import { currencyOfWalletId } from '../store/keys.ts';

const currencies = new Set(Intl.supportedValuesOf('currency'));

const badAmount = `must be an integer of minor units, 1 to ${maxAmount}`;
const badLimit = 'must be a whole number from 1 to 100';

/** Fields that several request bodies share. Texts are bounded, and have no control characters. */
export const fields = {
  /** Minor units. */
  amount: z.int({ error: badAmount, abort: true }).min(1, badAmount).max(maxAmount, badAmount),
  currency: z.string().refine((code) => currencies.has(code), 'must be an ISO 4217 currency code, in upper case'),
  text: (longest: number) =>
    z
      .string()
      .min(1)
      .max(longest)
      .regex(/^\P{Cc}*$/u, 'must not contain control characters'),
  walletId: z.string().min(1).max(64),
  /** Entries on a page, from a query parameter. */
  limit: z
    .string()
    .regex(/^\d{1,3}$/, badLimit)
    .transform(Number)
    .pipe(z.int().min(1, badLimit).max(100, badLimit))
    .default(20),
  /** A moment, from a query parameter; normalised to UTC with milliseconds. */
  time: z.iso
    .datetime({ offset: true, error: 'must be an ISO 8601 time with an offset', abort: true })
    .overwrite((time) => new Date(time).toISOString()),
};

/** The most keys that metadata may have. */
export const maxMetadataKeys = 20;

/** What the caller may add to a transaction; small enough that the record stays a few write units. */
export const annotations = {
  externalReference: fields.text(128).optional(),
  description: fields.text(256).optional(),
  metadata: z
    .record(
      z.string().regex(/^[A-Za-z][A-Za-z0-9_.-]{0,39}$/, 'keys are a letter and up to 39 of A-Z a-z 0-9 _ . -'),
      fields.text(256),
    )
    .refine((metadata) => Object.keys(metadata).length <= maxMetadataKeys, `must have at most ${maxMetadataKeys} keys`)
    .optional(),
};

/**
 * The currency of the wallet that an id names.
 *
 * @throws WalletError `wallet_not_found` when the text cannot be a wallet's id
 */
export function currencyOf(walletId: string): string {
  const currency = currencyOfWalletId(walletId);
  if (currency === undefined) throw walletNotFound(walletId);
  return currency;
}

/** Refuses money of one currency for a wallet of another; `given` absent agrees with everything. */
export function requireCurrency(given: string | undefined, wallet: string): void {
  if (given === undefined || given === wallet) return;
  throw new WalletError('currency_mismatch', { detail: `the wallet holds ${wallet}, the request is about ${given}` });
}

/** What an Idempotency-Key may be: 1–255 printable ASCII characters. */
export const idempotencyKeyFormat = /^[\x20-\x7e]{1,255}$/;

/** The Idempotency-Key header. */
export function idempotencyKeyOf(event: APIGatewayProxyEvent): string {
  const key = headerOf(event, 'idempotency-key')?.trim();
  if (key === undefined || key === '') throw new WalletError('idempotency_key_required');
  if (!idempotencyKeyFormat.test(key)) {
    throw invalid([{ path: 'Idempotency-Key', message: 'must be 1 to 255 printable ASCII characters' }]);
  }
  return key;
}

/** The body as the schema describes it. An absent body is an empty object, so that routes without fields need none. */
export function bodyOf<S extends z.ZodType>(event: APIGatewayProxyEvent, schema: S): z.output<S> {
  return check(schema, readJson(event));
}

/** The query as the schema describes it; a parameter that is given twice is refused. */
export function queryOf<S extends z.ZodType>(event: APIGatewayProxyEvent, schema: S): z.output<S> {
  const query = event.multiValueQueryStringParameters ?? {};
  const repeated = Object.keys(query).filter((name) => (query[name]?.length ?? 0) > 1);
  if (repeated.length > 0) throw invalid(repeated.map((path) => ({ path, message: 'must be given once' })));
  return check(schema, event.queryStringParameters ?? {});
}

/** A header's value, whatever the case that the client wrote its name in. */
export function headerOf(event: APIGatewayProxyEvent, name: string): string | undefined {
  const found = Object.keys(event.headers).find((header) => header.toLowerCase() === name);
  return found === undefined ? undefined : event.headers[found];
}

/** All lines of a header that may be given several times, by its lower-case name. */
export function headersOf(event: APIGatewayProxyEvent, name: string): string[] {
  return Object.entries(event.multiValueHeaders).flatMap(([header, values]) =>
    header.toLowerCase() === name ? (values ?? []) : [],
  );
}

/** An `invalid_request` that names what was wrong. */
export function invalid(errors: readonly InvalidField[]): WalletError {
  return new WalletError('invalid_request', { errors });
}

function readJson(event: APIGatewayProxyEvent): unknown {
  if (event.body === null || event.body === '') return {};
  const mediaType = headerOf(event, 'content-type')?.split(';')[0]?.trim().toLowerCase();
  if (mediaType !== 'application/json') throw new WalletError('unsupported_media_type');
  const body = Buffer.from(event.body, event.isBase64Encoded ? 'base64' : 'utf8');
  if (body.byteLength > maxBodyBytes) {
    throw new WalletError('payload_too_large', { detail: `the limit is ${String(maxBodyBytes)} bytes` });
  }
  try {
    return JSON.parse(body.toString('utf8')) as unknown;
  } catch (error) {
    throw new WalletError('invalid_request', { errors: [{ path: '', message: 'must be JSON' }] }, { cause: error });
  }
}

function check<S extends z.ZodType>(schema: S, value: unknown): z.output<S> {
  const result = schema.safeParse(value, { reportInput: true });
  if (result.success) return result.data;
  throw invalid(
    result.error.issues.flatMap(({ path, message, ...issue }) =>
      // An unknown field is an issue of its parent; the caller looks for the field.
      issue.code === 'unrecognized_keys'
        ? issue.keys.slice(0, 20).map((key) => ({ path: [...path, key].join('.'), message: 'is not a known field' }))
        : // Nothing that was sent is undefined.
          [{ path: path.join('.'), message: issue.input === undefined ? 'is required' : message }],
    ),
  );
}
