import { Token } from 'aws-cdk-lib';
import type { Duration } from 'aws-cdk-lib';
import { checkDomain } from './api-domain.ts';
import type { AuditOptions } from './audit.ts';
import { checkBank } from './bank-props.ts';
import { checkBudget } from './budget.ts';
import type { FraudOptions } from './fraud.ts';
import type { WalletServiceProps } from './wallet-service-props.ts';

/**
 * Checks the props that no other construct checks, before anything is made. Values that only CloudFormation knows pass.
 *
 * @throws Error with the name of the prop and the value received
 */
export function checkProps(props: WalletServiceProps): void {
  const { bank, throttle, queueDepthLimit, accountConcurrency } = props;
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
  if (props.domain) checkDomain(props.domain);
  checkIssuer(props);
  checkWebAcl(props.webAcl);
  if (props.cors?.allowedOrigins.length === 0) {
    throw new Error('cors.allowedOrigins must have an origin, received none');
  }
  const { monthlyBudget, warningTopic = props.alarmTopic } = props;
  if (monthlyBudget) checkBudget(monthlyBudget, warningTopic !== undefined);
  if (props.fraud) checkFraud(props.fraud);
  checkUnused(props);
}

/** Throws unless the value is a whole number in the bounds, or absent. */
function checkWhole(name: string, value: number | undefined, least: number, most = Number.MAX_SAFE_INTEGER): void {
  if (value === undefined || Token.isUnresolved(value)) return;
  if (Number.isInteger(value) && value >= least && value <= most) return;
  const bounds = most === Number.MAX_SAFE_INTEGER ? `of at least ${least}` : `from ${least} to ${most}`;
  throw new Error(`${name} must be a whole number ${bounds}, received ${String(value)}`);
}

const secondsOf = { hour: 3_600, day: 86_400 };

/** Throws unless the time is one or more whole hours or days, or absent. */
function checkSpan(name: string, time: Duration | false | undefined, unit: keyof typeof secondsOf): void {
  if (time === undefined || time === false || time.isUnresolved()) return;
  const count = time.toSeconds({ integral: false }) / secondsOf[unit];
  if (Number.isInteger(count) && count >= 1) return;
  throw new Error(`${name} must be whole ${unit}s, at least one, received ${time.toHumanString()}`);
}

function checkIssuer({ tokens, tokenJwksUri }: WalletServiceProps): void {
  checkUrl('tokens.issuer', tokens?.issuer);
  checkUrl('tokens.jwksUri', tokens?.jwksUri);
  checkUrl('tokenJwksUri', tokenJwksUri);
  if (tokens?.audience === '') throw new Error('tokens.audience must be the aud of the tokens, received ""');
}

/** Throws unless the text is a URL of the web, or absent. Plain HTTP is for issuers on a machine of development. */
function checkUrl(name: string, text: string | undefined): void {
  if (text === undefined || Token.isUnresolved(text)) return;
  const url = URL.parse(text);
  if (url?.protocol === 'https:' || url?.protocol === 'http:') return;
  throw new Error(`${name} must begin with https://, or http:// for development, received "${text}"`);
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

/** Throws for limits that the worker would refuse at its start. */
function checkFraud({ byCurrency = {}, ...general }: FraudOptions): void {
  for (const [currency, limits] of Object.entries({ '': general, ...byCurrency })) {
    if (currency !== '' && !/^[A-Z]{3}$/.test(currency)) {
      throw new Error(`fraud.byCurrency takes currencies as three capital letters, received "${currency}"`);
    }
    const at = currency === '' ? 'fraud' : `fraud.byCurrency.${currency}`;
    for (const window of ['outgoingPerMinute', 'outgoingPerHour', 'outgoingPerDay'] as const) {
      checkWhole(`${at}.${window}.count`, limits[window]?.count, 0);
      checkWhole(`${at}.${window}.amount`, limits[window]?.amount, 0);
    }
    checkWhole(`${at}.inAndOut.minutes`, limits.inAndOut?.minutes, 1, 60);
    checkWhole(`${at}.inAndOut.amount`, limits.inAndOut?.amount, 0);
    checkWhole(`${at}.newDestination.amount`, limits.newDestination?.amount, 0);
  }
}
