import * as z from 'zod/mini';
import { fields } from './body-fields.ts';

/** The field of a withdrawal's destination: an account at a bank, and its holder's name. */
export const destination = z.strictObject({
  account: z
    .string()
    .check(z.regex(/^[A-Za-z0-9][A-Za-z0-9 -]{2,63}$/, 'must be 3 to 64 letters, digits, spaces or hyphens')),
  name: z.optional(fields.text(128)),
});
