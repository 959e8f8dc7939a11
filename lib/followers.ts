/** The parts of the service that follow a command. */
import { Duration } from 'aws-cdk-lib';
import type { Construct } from 'constructs';
import { Audit } from './audit.ts';
import { BankFiles } from './bank-files.ts';
import type { Core, Shared } from './core.ts';
import { Events } from './events.ts';
import { Fraud } from './fraud.ts';
import { Integrity } from './integrity.ts';
import { Notifications } from './notifications.ts';
import type { WalletServiceProps } from './wallet-service-props.ts';
import { Webhooks } from './webhooks.ts';

/** The parts that follow a command. */
export type Followers = ReturnType<typeof newFollowers>;

/** Makes the parts that follow a command: events and their consumers, and the check of the books. */
export function newFollowers(scope: Construct, props: WalletServiceProps, core: Shared & Core) {
  const { ledger, tokens, entries, withdrawals, capacity, rateLimits, shares, addAlarm } = core;
  const events = new Events(scope, 'Events', { ledger, tokens, ...props.events, shares, addAlarm });
  const followers = { ledger, events, capacity, shares, addAlarm };
  const { notifications: isNotified = true, fraud: screening = {}, audit: archive = {} } = props;
  const notifications = isNotified
    ? new Notifications(scope, 'Notifications', {
        ...followers,
        rateLimits,
        concurrency: props.notificationConcurrency ?? 5,
      })
    : undefined;
  const fraud = screening
    ? new Fraud(scope, 'Fraud', { ...followers, options: screening, concurrency: props.screeningConcurrency ?? 5 })
    : undefined;
  const { webhooks: hooks = false } = props;
  const options = hooks === true ? {} : hooks;
  const webhooks = options
    ? new Webhooks(scope, 'Webhooks', { events, options, capacity, shares, addAlarm })
    : undefined;
  const audit = archive ? new Audit(scope, 'Audit', { events, options: archive, addAlarm }) : undefined;
  const integrity = new Integrity(scope, 'Integrity', {
    ...{ ledger, entries, withdrawals, events, shares, addAlarm },
    fullPassEvery: props.fullPassEvery ?? Duration.days(1),
  });
  const bankFiles =
    props.bankFiles &&
    new BankFiles(scope, 'BankFiles', { options: props.bankFiles, ledger, withdrawals, events, shares, addAlarm });
  return { events, notifications, fraud, webhooks, audit, integrity, bankFiles };
}
