import * as z from 'zod/mini';
import { transactionStatuses, transactionTypes } from '../domain/transaction.ts';
import { queryFields } from './query-fields.ts';

/** Parameters of the queries that list transactions. */
export const historyFields = {
  limit: queryFields.limit,
  cursor: z.optional(z.string()),
  type: z.optional(z.enum(transactionTypes)),
  status: z.optional(z.enum(transactionStatuses)),
  from: z.optional(queryFields.bound),
  to: z.optional(queryFields.bound),
};
