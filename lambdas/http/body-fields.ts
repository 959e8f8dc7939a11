import * as z from 'zod/mini';
import { maxAmount } from '../domain/money.ts';

const currencies = new Set(Intl.supportedValuesOf('currency'));

const badAmount = `must be an integer of minor units, 1 to ${maxAmount}`;
const badCurrency = 'must be an ISO 4217 currency code, in upper case';

/**
 * Text without control characters, halves of surrogate pairs, and U+FFFD, which stands for bytes that were not UTF-8.
 * Uses ranges instead of classes, so that the expression means the same in every language that reads the document.
 */
const plainText = new RegExp(String.raw`^[^\u0000-\u001f\u007f-\u009f\ud800-\udfff\ufffd]*$`, 'u');

/** Names that every object has in some language. As a key of metadata such a name could not be read back. */
const inheritedNames = [
  'constructor',
  'hasOwnProperty',
  'isPrototypeOf',
  'propertyIsEnumerable',
  'prototype',
  'toLocaleString',
  'toString',
  'valueOf',
];
const metadataKey = new RegExp(`^(?!(?:${inheritedNames.join('|')})$)[A-Za-z][A-Za-z0-9_.-]{0,39}$`);

/** Fields that several request bodies share. Texts are bounded, and have no control characters. */
export const fields = {
  /** Minor units. */
  amount: z.int({ error: badAmount, abort: true }).check(z.minimum(1, badAmount), z.maximum(maxAmount, badAmount)),
  currency: z.string().check(
    z.regex(/^[A-Z]{3}$/, { error: badCurrency, abort: true }),
    z.refine((code) => currencies.has(code), badCurrency),
  ),
  text: (longest: number) =>
    z
      .string()
      .check(
        z.minLength(1),
        z.maxLength(longest),
        z.regex(plainText, 'must be Unicode text without control characters'),
      ),
  walletId: z.string().check(z.minLength(1), z.maxLength(64)),
  /** Shows the fee of the command, which is not executed. */
  dryRun: z.optional(z.literal(true)),
};

/** Takes the reference for this command alone. Not a part of the annotations: standing orders lack it. */
export const uniqueReference = z.optional(z.literal(true));

/** Checks that a body which takes its reference has one. */
export const withReference = z.refine<{ externalReference?: string | undefined; uniqueReference?: true | undefined }>(
  ({ externalReference, uniqueReference }) => uniqueReference === undefined || externalReference !== undefined,
  { message: 'is required with uniqueReference', path: ['externalReference'] },
);

/** An account at a bank. Routes that pay no bank do not load it. */
export const destination = z.strictObject({
  account: z
    .string()
    .check(z.regex(/^[A-Za-z0-9][A-Za-z0-9 -]{2,63}$/, 'must be 3 to 64 letters, digits, spaces or hyphens')),
  name: z.optional(fields.text(128)),
});

/** The most keys that metadata may have. */
export const maxMetadataKeys = 20;
export const tooManyKeys = `must have at most ${maxMetadataKeys} keys`;

/** A value of metadata. */
export const metadataValue = fields.text(256);

/** Returns metadata, or a patch of it, with such values. */
export function metadataOf<V extends z.ZodMiniType>(value: V) {
  const key = z
    .string()
    .check(z.regex(metadataKey, 'keys are a letter and up to 39 of A-Z a-z 0-9 _ . -, and no reserved name'));
  return z
    .record(key, value)
    .check(z.refine((metadata) => Object.keys(metadata).length <= maxMetadataKeys, tooManyKeys));
}

/** Members that the caller may add to a transaction. They are small enough that the record stays a few write units. */
export const annotations = {
  externalReference: z.optional(fields.text(128)),
  description: z.optional(fields.text(256)),
  metadata: z.optional(metadataOf(metadataValue)),
};
