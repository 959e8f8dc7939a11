/** The exports of the package: both constructs, the types of their props, and the names of the stack's outputs. */
export { outputs } from '../lambdas/contract.ts';
export type {
  ConsoleSignIn,
  FeeRule,
  Fees,
  FunctionName,
  OperatorLimits,
  PayoutWindow,
  PerFunction,
  PerWork,
  StreamReader,
  Tiers,
  WalletLimits,
  WorkKind,
} from '../lambdas/contract.ts';
export type { AdoptedLedger, AdoptedTable } from './adopted-table.ts';
export type { DomainProps } from './api-domain.ts';
export type { CorsProps, ThrottleProps } from './api.ts';
export type { AuditOptions } from './audit.ts';
export type { BackupOptions } from './backup.ts';
export type { BankFilesOptions } from './bank-files.ts';
export type { BankNetwork } from './bank-network.ts';
export type { BankProps } from './bank-props.ts';
export type { MonthlyBudget } from './budget.ts';
export type { LoadRange, ProvisionedLoad, WarmLoad } from './capacity.ts';
export type { ReservedConcurrency } from './concurrency.ts';
export type { ConsoleOptions } from './console.ts';
export type { DeploymentStrategy } from './deployments.ts';
export type { EventsOptions } from './events.ts';
export type { FeesOptions } from './fees.ts';
export type { FourEyesOptions } from './four-eyes.ts';
export type { FraudOptions } from './fraud.ts';
export type { RateLimits } from './rate-limits.ts';
export type { LogLevel } from './service-settings.ts';
export type { CognitoIssuer, People, TokenIssuer } from './tokens.ts';
export { WalletService } from './wallet-service.ts';
export type { WalletServiceProps } from './wallet-service-props.ts';
export { WalletStack } from './wallet-stack.ts';
export type { WalletStackProps } from './wallet-stack.ts';
export type { WebAcl } from './web-acl.ts';
export type { WebhooksOptions } from './webhooks.ts';
export type { WorkQueue } from './work-queue.ts';
