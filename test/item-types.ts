import {
  activityItems,
  entryItems,
  ledgerItems,
  sentItems,
  statementItems,
  webhookItems,
} from '../lambdas/contract.ts';

/** Every type of item in all tables, with the beginning of its partition key. */
export const itemTypes = Object.entries({
  ...{ ...ledgerItems, ...entryItems, ...activityItems, ...sentItems },
  ...{ ...webhookItems, ...statementItems },
});
