import { Duration, Tokenization, Validations } from 'aws-cdk-lib';
import { MathExpression, Stats } from 'aws-cdk-lib/aws-cloudwatch';
import { Secret } from 'aws-cdk-lib/aws-secretsmanager';
import type { ISecret } from 'aws-cdk-lib/aws-secretsmanager';
import { Construct } from 'constructs';
import { metrics } from '../lambdas/contract.ts';
import { addLevels, ownMetric } from './alarms.ts';
import type { AddAlarm } from './alarms.ts';
import type { BankNetwork } from './bank-network.ts';
import type { BankProps } from './bank-props.ts';
import type { Shares } from './concurrency.ts';
import { ownKey } from './encryption.ts';
import type { GuardGrants } from './four-eyes.ts';
import type { LedgerTable } from './ledger-table.ts';
import { payoutWindowText } from './payout-window.ts';
import type { RateLimits } from './rate-limits.ts';
import { WalletFunction } from './wallet-function.ts';
import type { Access } from './wallet-function.ts';
import { WorkQueue } from './work-queue.ts';

/** Properties of `Withdrawals`. */
export interface WithdrawalsProps {
  readonly ledger: LedgerTable;
  readonly bank: BankProps;
  readonly rateLimits: Required<RateLimits>;
  /** `OperatorLimits` as JSON. */
  readonly operatorLimits: string;
  /** `Fees` as JSON. */
  readonly fees: string;
  /** `FOUR_EYES`. */
  readonly fourEyes: string;
  readonly guardGrants: GuardGrants;
  /** Whether withdrawals can be scheduled. */
  readonly schedules: boolean;
  /** Messages that may wait before new withdrawals are refused. */
  readonly queueDepthLimit: number;
  readonly shares: Shares;
  readonly addAlarm: AddAlarm;
}

/** Money out through the bank: the routes that hold it and end it, the queue, and the worker that visits the bank. */
export class Withdrawals extends Construct {
  readonly work: WorkQueue;
  /** The HMAC key that requests to the bank are signed with; give the bank the same. */
  readonly requestSecret: ISecret;
  /** The HMAC key that the bank signs its notifications with; give the bank the same. */
  readonly notificationSecret: ISecret;
  /** The network of the functions that call the bank; undefined: Lambda's own. */
  readonly network: BankNetwork | undefined;
  /** The variables and grants of a function that calls the bank. */
  readonly bankAccess: Record<'BANK_URL' | 'BANK_REQUEST_SECRET_ARN' | 'BANK_ID', string | Access>;
  /** `PAYOUT_WINDOW`. */
  readonly payoutWindow: string;
  readonly functions;
  readonly worker: WalletFunction<'withdrawals'>;

  constructor(scope: Construct, id: string, props: WithdrawalsProps) {
    super(scope, id);
    const { ledger, bank, shares, addAlarm } = props;
    const { keyOverlap = Duration.hours(24) } = bank;
    this.work = new WorkQueue(this, 'Work', {
      work: 'withdrawal',
      atStake: 'its money is with neither side',
      batchSize: 10,
      concurrency: bank.concurrency ?? 50,
      depthLimit: props.queueDepthLimit,
      shares,
      addAlarm,
    });
    // One key for each direction: a key that one side leaks cannot forge the other side's messages.
    this.requestSecret =
      bank.requestSecret ?? newBankKey(this, 'BankSecret', 'HMAC key that requests to the bank are signed with');
    this.notificationSecret =
      bank.notificationSecret ??
      newBankKey(this, 'BankNotificationSecret', 'HMAC key that the bank signs its notifications with');
    this.network = bank.network;
    this.payoutWindow = payoutWindowText(bank.payoutWindow);
    const bankId = bank.id ?? bank.url;
    this.bankAccess = {
      BANK_URL: bank.url,
      BANK_REQUEST_SECRET_ARN: allowReading(this.requestSecret),
      BANK_ID: bankId,
    };

    this.functions = this.#newRoutes(props, { bankId, keyOverlap });
    this.worker = new WalletFunction(this, 'withdrawals', {
      timeout: this.work.workerTimeout,
      reservedConcurrency: this.work.workerConcurrency,
      environment: {
        TABLE_NAME: ledger.allow({
          GetItem: ['transaction', 'wallet'],
          PutItem: ['breaker'],
          UpdateItem: ['transaction', 'wallet'],
        }),
        DUE_SHARDS: ledger.dueShards,
        WITHDRAWAL_QUEUE_URL: this.work.allow(['ChangeMessageVisibility']),
        ...this.bankAccess,
        BANK_NOT_FOUND_WINDOW_SECONDS: Tokenization.stringifyNumber(bank.notFoundWindow.toSeconds()),
        BANK_MAX_ATTEMPTS: String(bank.maxAttempts ?? 20),
        PAYOUT_WINDOW: this.payoutWindow,
      },
      network: bank.network,
    });
    this.work.feed(this.worker);
    this.#addAlarms(addAlarm);
  }

  /** Makes the routes that accept withdrawals and end them. */
  #newRoutes(props: WithdrawalsProps, bank: { readonly bankId: string; readonly keyOverlap: Duration }) {
    const { ledger, rateLimits, shares } = props;
    const { bankId, keyOverlap } = bank;
    return {
      withdraw: new WalletFunction(this, 'withdraw', {
        timeout: WalletFunction.longestRouteTimeout,
        reservedConcurrency: shares.waitingRoutes,
        environment: {
          TABLE_NAME: ledger.allowPayments(),
          READS_PER_HOUR: String(rateLimits.reads),
          REFUSALS_PER_HOUR: String(rateLimits.refusals),
          WITHDRAWALS_PER_HOUR: String(rateLimits.withdrawals),
          WITHDRAWAL_QUEUE_URL: this.work.allow(['SendMessage', 'GetQueueAttributes']),
          DUE_SHARDS: ledger.dueShards,
          QUEUE_DEPTH_LIMIT: String(props.queueDepthLimit),
          OPERATOR_LIMITS: props.operatorLimits,
          FEES: props.fees,
          SCHEDULES: String(props.schedules),
        },
      }),
      resolve: new WalletFunction(this, 'resolve', {
        environment: {
          TABLE_NAME: ledger.allow(props.guardGrants('resolve', ending)),
          OPERATOR_LIMITS: props.operatorLimits,
          FOUR_EYES: props.fourEyes,
        },
      }),
      cancel: new WalletFunction(this, 'cancel', {
        // The transaction for a repetition beyond the limit. The wallet, because an operator may have requested the
        // withdrawal.
        environment: {
          TABLE_NAME: ledger.allow({
            ...ending,
            BatchGetItem: ['transaction', 'wallet'],
            UpdateItem: [...ending.UpdateItem, 'rateWindow'],
          }),
          CANCELLATIONS_PER_HOUR: String(rateLimits.cancellations),
        },
      }),
      'bank-notifications': new WalletFunction(this, 'bank-notifications', {
        environment: {
          TABLE_NAME: ledger.allow(ending),
          BANK_NOTIFICATION_SECRET_ARN: allowReading(this.notificationSecret),
          BANK_KEY_OVERLAP_SECONDS: String(keyOverlap.toSeconds()),
          BANK_ID: bankId,
        },
      }),
    };
  }

  /**
   * Returns 1 for a minute in which the bank was down, else 0. Either nearly all of at least 12 turns failed, or at least
   * half of the turns met an open breaker, as in a quiet hour. A bank that fails 30 % of the calls hardly shows either: 12 of
   * 12 failures have a probability of 5e-7 then, and a breaker that opens by chance is open for a quarter of a minute.
   */
  #bankDown(): MathExpression {
    const turn = (statistic: string) => ownMetric(this, metrics.bankFailed, statistic);
    return new MathExpression({
      label: 'bank down',
      expression: 'IF((turns >= 12 AND failed >= 0.95) OR open >= 0.5, 1, 0)',
      period: Duration.minutes(1),
      usingMetrics: {
        turns: turn(Stats.SAMPLE_COUNT),
        failed: turn(Stats.AVERAGE),
        open: ownMetric(this, metrics.breakerOpen, Stats.AVERAGE),
      },
    });
  }

  #addAlarms(addAlarm: AddAlarm): void {
    addAlarm(this, 'InReview', {
      name: 'withdrawal in review',
      severity: 'warning',
      metric: ownMetric(this, metrics.withdrawalsInReview, Stats.MAXIMUM),
      threshold: 1,
      periods: 1,
      meaning: 'A withdrawal waits for the decision of an operator; its money is held until then.',
      runbook: 'withdrawal-in-review',
    });
    addAlarm(this, 'ClocksDoubted', {
      name: 'clocks doubted',
      severity: 'warning',
      metric: ownMetric(this, metrics.clockDoubted, Stats.SUM, Duration.minutes(5)),
      threshold: 20,
      periods: 1,
      meaning: "Workers do not call the bank: their clocks differ too much from the database's.",
      runbook: 'clocks-doubted',
    });
    addAlarm(this, 'BankDown', {
      name: 'bank down',
      severity: 'critical',
      metric: this.#bankDown(),
      threshold: 1,
      periods: 1,
      // A bank that no withdrawal needs is neither up nor down.
      missing: 'ignore',
      meaning: 'The bank answers almost no call, so withdrawals wait, with their money held.',
      runbook: 'bank-down',
    });
    addLevels(addAlarm, this, 'OpenTooLong', {
      name: 'withdrawal open for too long',
      metric: ownMetric(this, metrics.oldestWithdrawal, Stats.MAXIMUM),
      thresholds: { warning: 900, critical: 3_600 },
      periods: 3,
      meaning: (seconds) => `A withdrawal has been open for ${seconds / 60} minutes or more; its money is held.`,
      runbook: 'withdrawal-open-for-too-long',
    });
    addAlarm(this, 'BankContradiction', {
      name: 'bank contradicts the ledger',
      severity: 'critical',
      metric: ownMetric(this, metrics.bankContradiction, Stats.SUM),
      threshold: 1,
      periods: 1,
      // The service has no point for "resolved". So the alarm lasts until an operator sets its state.
      missing: 'ignore',
      moneyAtRisk: true,
      meaning: 'The bank contradicts the ledger; money may have moved twice, or not at all.',
      runbook: 'bank-contradiction',
    });
  }
}

/**
 * The rights to end a withdrawal, on its record and in its wallet. The operator's key, and a return, are new records.
 */
const ending = {
  GetItem: ['transaction'],
  PutItem: ['transaction'],
  UpdateItem: ['transaction', 'wallet'],
} as const;

function newBankKey(scope: Construct, id: string, description: string): ISecret {
  const secret = new Secret(scope, id, {
    description,
    ...ownKey(scope),
    generateSecretString: { passwordLength: 64, excludePunctuation: true },
  });
  Validations.of(secret).acknowledge({
    id: 'AwsSolutions-SMG4',
    reason: 'The bank holds the same key, so it changes by agreement with the bank and not on a timer.',
  });
  return secret as ISecret;
}

/** Returns the secret's ARN with the permission to read it, and to use the key that it may have of its own. */
function allowReading({ secretArn, secretFullArn, encryptionKey }: ISecret): Access {
  // A secret that is given by its name lacks the six characters that Secrets Manager adds to it.
  const resource = secretFullArn ?? `${secretArn}-??????`;
  return {
    value: secretArn,
    grants: [
      { actions: ['secretsmanager:GetSecretValue'], resources: [resource] },
      ...(encryptionKey ? [{ actions: ['kms:Decrypt'], resources: [encryptionKey.keyArn] }] : []),
    ],
  };
}
