/** The exports of the package: both constructs, the types of their props, and the names of the stack's outputs. */
export { outputs } from '../lambdas/contract.ts';
export type { FunctionName, OperatorLimits, StreamReader, WorkKind } from '../lambdas/contract.ts';
export type { CorsProps, ThrottleProps } from './api.ts';
export type { AuditOptions } from './audit.ts';
export type { LoadRange, ProvisionedLoad } from './capacity.ts';
export type { ReservedConcurrency } from './concurrency.ts';
export type { EventsOptions } from './events.ts';
export type { FraudOptions } from './fraud.ts';
export type { RateLimits } from './rate-limits.ts';
export type { CognitoIssuer, People, TokenIssuer } from './tokens.ts';
export { WalletService } from './wallet-service.ts';
export type { WalletServiceProps } from './wallet-service-props.ts';
export { WalletStack } from './wallet-stack.ts';
export type { WalletStackProps } from './wallet-stack.ts';
export type { WebAcl } from './web-acl.ts';
export type { BankProps } from './withdrawals.ts';
export type { WorkQueue } from './work-queue.ts';
