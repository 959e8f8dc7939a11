/** The names of the document's schemas that callers meet. */
import type { components, KnownValues } from './openapi.generated.ts';

/** All schemas of the document, by their names. */
export type Schemas = components['schemas'];

export type Wallet = Schemas['Wallet'];
export type WalletLimits = Schemas['WalletLimits'];
export type Balance = Schemas['Balance'];
export type Transaction = Schemas['Transaction'];
export type Statement = Schemas['Statement'];
export type StatementFile = Schemas['StatementFile'];
export type Entry = Schemas['Entry'];
export type DryRun = Schemas['DryRun'];
export type Split = Schemas['Split'];
export type SplitDryRun = Schemas['SplitDryRun'];
export type StandingOrder = Schemas['StandingOrder'];
export type Approval = Schemas['Approval'];
export type Batch = Schemas['Batch'];
export type BatchItem = Schemas['BatchItem'];
export type NotificationPreferences = Schemas['NotificationPreferences'];
export type Health = Schemas['Health'];
export type Unavailable = Schemas['Unavailable'];
export type Integrity = Schemas['Integrity'];
export type Problem = Schemas['Problem'];

/** The code of a refusal. A later version of the service may have more codes. */
export type ErrorCode = KnownValues['Problem']['code'] | (string & {});
/** The kind of a transaction. A later version of the service may have more. */
export type TransactionType = KnownValues['Transaction']['type'] | (string & {});
/** The state of a transaction. A later version of the service may have more. */
export type TransactionStatus = KnownValues['Transaction']['status'] | (string & {});
