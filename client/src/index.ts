/** A client of the wallet service: see client/README.md. */
export { createWalletClient } from './client.ts';
export type { BatchHandle, StandingOrderHandle, TokenSource, WalletClient, WalletClientOptions } from './client.ts';
export type { ApprovalHandle } from './approval.ts';
export { clientCredentials } from './credentials.ts';
export type { ClientCredentials } from './credentials.ts';
export {
  ApprovalPendingError,
  NoAnswerError,
  NotReadyError,
  OtherEndError,
  StatementFailedError,
  StillPendingError,
  WalletClientError,
  WalletServiceError,
} from './errors.ts';
export type { operations, paths } from './openapi.generated.ts';
export type { Page, Pages } from './pages.ts';
export type { Answer, Retries } from './retries.ts';
export type { Patience } from './polling.ts';
export type { StatementFileHandle } from './statement-file.ts';
export type { HoldHandle, TransactionHandle, WaitOptions } from './transaction.ts';
export type { CallOptions, CommandOptions, Http, WaitingOptions } from './transport.ts';
export type { WalletHandle } from './wallet.ts';
export type * from './types.ts';
