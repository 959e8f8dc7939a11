import { Token } from 'aws-cdk-lib';
import type { IKey } from 'aws-cdk-lib/aws-kms';
import type { Construct } from 'constructs';
import { checkDomain } from './api-domain.ts';
import type { AuditOptions } from './audit.ts';
import { checkBank } from './bank-props.ts';
import { checkBudget } from './budget.ts';
import { checkCurrency, checkNoNull, checkRegion, checkSpan, checkUrl, checkWhole } from './check-values.ts';
import type { FraudOptions } from './fraud.ts';
import type { WalletServiceProps } from './wallet-service-props.ts';

/**
 * Checks the props that no other construct checks, before anything is made. Values that only CloudFormation knows pass.
 *
 * @throws Error with the name of the prop and the value received
 */
export function checkProps(scope: Construct, props: WalletServiceProps): void {
  checkNoNull('', props);
  const { bank, throttle, queueDepthLimit, accountConcurrency } = props;
  // A caller in JavaScript may leave it out.
  if ((bank as WalletServiceProps['bank'] | undefined) === undefined) {
    throw new Error('bank must have the url of the bank and its notFoundWindow, received undefined');
  }
  checkWhole('queueDepthLimit', queueDepthLimit, 1);
  checkWhole('accountConcurrency', accountConcurrency, 1);
  checkWhole('throttle.ratePerSecond', throttle?.ratePerSecond, 1);
  checkWhole('throttle.burst', throttle?.burst, 1);
  checkWhole('bank.maxAttempts', bank.maxAttempts, 1);
  // The bounds of an event source's concurrency.
  checkWhole('bank.concurrency', bank.concurrency, 2, 1_000);
  checkWhole('transferConcurrency', props.transferConcurrency, 2, 1_000);
  checkWhole('screeningConcurrency', props.screeningConcurrency, 2, 1_000);
  checkWhole('notificationConcurrency', props.notificationConcurrency, 2, 1_000);
  checkSpan('fullPassEvery', props.fullPassEvery, 'hour');
  checkSpan('events.replayRetention', props.events?.replayRetention, 'day');
  if (props.audit) checkAudit(props.audit);
  checkBank(bank);
  if (props.domain) checkDomain(scope, props.domain);
  if (props.encryptionKey) checkKey(scope, props.encryptionKey);
  checkIssuer(scope, props);
  checkUrl(scope, 'console.signIn.authorizeEndpoint', props.console?.signIn?.authorizeEndpoint);
  checkUrl(scope, 'console.signIn.tokenEndpoint', props.console?.signIn?.tokenEndpoint);
  checkWebAcl(props.webAcl);
  if (props.cors?.allowedOrigins.length === 0) {
    throw new Error('cors.allowedOrigins must have an origin, received none');
  }
  const { monthlyBudget, warningTopic = props.alarmTopic } = props;
  if (monthlyBudget) checkBudget(monthlyBudget, warningTopic !== undefined);
  if (props.fraud) checkFraud(props.fraud);
  checkUnused(props);
}

function checkIssuer(scope: Construct, { tokens, tokenJwksUri }: WalletServiceProps): void {
  checkUrl(scope, 'tokens.issuer', tokens?.issuer);
  checkUrl(scope, 'tokens.jwksUri', tokens?.jwksUri);
  checkUrl(scope, 'tokenJwksUri', tokenJwksUri);
  if (tokens?.audience === '') throw new Error('tokens.audience must be the aud of the tokens, received ""');
}

function checkWebAcl(webAcl: WalletServiceProps['webAcl']): void {
  if (
    typeof webAcl !== 'string' ||
    Token.isUnresolved(webAcl) ||
    /^arn:[\w-]+:wafv2:.+:regional\/webacl\//.test(webAcl)
  ) {
    return;
  }
  throw new Error(`webAcl must be true, false, or the ARN of a regional web ACL, received "${webAcl}"`);
}

/** Throws for a setting of a feature that is switched off. */
function checkUnused({ fraud, notifications, ...props }: WalletServiceProps): void {
  if (fraud === false && props.screeningConcurrency !== undefined) {
    throw new Error(`screeningConcurrency is of no use with fraud: false, received ${props.screeningConcurrency}`);
  }
  if (notifications === false && props.notificationConcurrency !== undefined) {
    const received = props.notificationConcurrency;
    throw new Error(`notificationConcurrency is of no use with notifications: false, received ${received}`);
  }
}

function checkAudit({ retention, lock }: AuditOptions): void {
  checkSpan('audit.retention', retention, 'day');
  const locks: readonly (string | undefined)[] = [undefined, 'governance', 'compliance'];
  if (locks.includes(lock)) return;
  throw new Error(`audit.lock must be governance or compliance, received "${String(lock)}"`);
}

/** Throws for a key that the grants and resources of the stack cannot name. */
function checkKey(scope: Construct, key: IKey): void {
  if ('aliasName' in key || key.keyArn.includes(':alias/')) {
    throw new Error(`encryptionKey must be the key itself, received an alias, ${key.keyArn}`);
  }
  checkRegion(scope, 'encryptionKey', key.keyArn);
}

/** Throws for limits that the worker would refuse at its start. */
function checkFraud({ byCurrency = {}, ...general }: FraudOptions): void {
  checkLimits('fraud', general);
  for (const [currency, limits] of Object.entries(byCurrency)) {
    checkCurrency('fraud.byCurrency', currency);
    checkLimits(`fraud.byCurrency.${currency}`, limits);
  }
}

function checkLimits(name: string, limits: Omit<FraudOptions, 'byCurrency'>): void {
  for (const window of ['outgoingPerMinute', 'outgoingPerHour', 'outgoingPerDay'] as const) {
    checkWhole(`${name}.${window}.count`, limits[window]?.count, 0);
    checkWhole(`${name}.${window}.amount`, limits[window]?.amount, 0);
  }
  checkWhole(`${name}.inAndOut.minutes`, limits.inAndOut?.minutes, 1, 60);
  checkWhole(`${name}.inAndOut.amount`, limits.inAndOut?.amount, 0);
  checkWhole(`${name}.newDestination.amount`, limits.newDestination?.amount, 0);
}
