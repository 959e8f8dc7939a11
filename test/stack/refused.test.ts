/** Props that the synthesis refuses: the error names the prop, and the value that was given. */
import { Duration, Stack } from 'aws-cdk-lib';
import { Certificate } from 'aws-cdk-lib/aws-certificatemanager';
import { Schedule } from 'aws-cdk-lib/aws-events';
import { Alias, Key } from 'aws-cdk-lib/aws-kms';
import { HostedZone } from 'aws-cdk-lib/aws-route53';
import assert from 'node:assert/strict';
import { describe, it } from '@jest/globals';
import type { PayoutWindow } from '../../lambdas/contract.ts';
import { plainHostContext } from '../../lib/check-values.ts';
import { newApp } from '../../lib/app.ts';
import type { LogLevel } from '../../lib/service-settings.ts';
import { WalletService } from '../../lib/wallet-service.ts';
import type { WalletServiceProps } from '../../lib/wallet-service-props.ts';
import { WalletStack } from '../../lib/wallet-stack.ts';

const bank = { url: 'https://bank.example', notFoundWindow: Duration.seconds(30) };

function refuses(props: Partial<WalletServiceProps>, message: string): void {
  const stack = new Stack(newApp({ builtinCloudFormationValidation: false }), 'Refused');
  assert.throws(() => new WalletService(stack, 'Wallets', { bank, ...props }), { message });
}

const amount = 5;
const payoutWindow: PayoutWindow = { timeZone: 'Europe/Zurich', days: ['MON'], from: '08:00', to: '17:00' };
/** Returns props with another window of the bank. */
const withWindow = (other: object) => ({ bank: { ...bank, payoutWindow: { ...payoutWindow, ...other } } });
const emails = ['finance@example.com'];
const currencies = Array.from(
  { length: 200 },
  (_, n) => `A${String.fromCharCode(65 + Math.floor(n / 26), 65 + (n % 26))}`,
);
const tokens = { issuer: 'https://issuer.example', audience: 'wallets' };

const refused: readonly (readonly [props: Partial<WalletServiceProps>, message: string])[] = [
  [{ bankFiles: { days: 61 } }, 'bankFiles.days must be a whole number from 0 to 60, received 61'],
  [
    { bank: { ...bank, url: 'ftp://x' } },
    'bank.url must be an https URL without credentials and query, received "ftp://x"',
  ],
  [{ bank: { ...bank, maxAttempts: 0 } }, 'bank.maxAttempts must be a whole number of at least 1, received 0'],
  [{ bank: { ...bank, concurrency: 1 } }, 'bank.concurrency must be a whole number from 2 to 1000, received 1'],
  [
    { bank: { ...bank, keyOverlap: Duration.seconds(59) } },
    'bank.keyOverlap must be whole seconds, at least 60, received 59 seconds',
  ],
  [
    withWindow({ timeZone: 'Europe/Atlantis' }),
    'bank.payoutWindow.timeZone must be a time zone of IANA, received "Europe/Atlantis"',
  ],
  [withWindow({ days: [] }), 'bank.payoutWindow.days must have a day, received none'],
  [
    withWindow({ days: ['Monday'] }),
    'bank.payoutWindow.days takes MON, TUE, WED, THU, FRI, SAT, SUN, received "Monday"',
  ],
  [withWindow({ from: '8:00' }), 'bank.payoutWindow.from must be HH:MM, received "8:00"'],
  [withWindow({ from: '24:00' }), 'bank.payoutWindow.from must be HH:MM, received "24:00"'],
  [withWindow({ to: '17:60' }), 'bank.payoutWindow.to must be HH:MM, received "17:60"'],
  [
    withWindow({ from: '22:00', to: '06:00' }),
    'bank.payoutWindow.to must be later than from on the same day, received "22:00" and "06:00"',
  ],
  [
    withWindow({ holidays: ['2026-02-29'] }),
    'bank.payoutWindow.holidays takes days as YYYY-MM-DD, received "2026-02-29"',
  ],
  [
    withWindow({ holidays: Array<string>(101).fill('2026-12-25') }),
    'bank.payoutWindow.holidays takes 100 days at most, received 101',
  ],
  [{ queueDepthLimit: 0.5 }, 'queueDepthLimit must be a whole number of at least 1, received 0.5'],
  [{ dueShards: 257 }, 'dueShards must be a whole number from 1 to 256, received 257'],
  [{ transferConcurrency: 1_001 }, 'transferConcurrency must be a whole number from 2 to 1000, received 1001'],
  [{ screeningConcurrency: 2.5 }, 'screeningConcurrency must be a whole number from 2 to 1000, received 2.5'],
  [{ notificationConcurrency: NaN }, 'notificationConcurrency must be a whole number from 2 to 1000, received NaN'],
  [{ accountConcurrency: -1 }, 'accountConcurrency must be a whole number of at least 1, received -1'],
  [
    { reservedConcurrency: { waitingRoutes: 0 } },
    'reservedConcurrency.waitingRoutes must be a whole number of at least 1, received 0',
  ],
  [
    { throttle: { ratePerSecond: 0, burst: 1 } },
    'throttle.ratePerSecond must be a whole number of at least 1, received 0',
  ],
  [{ throttle: { ratePerSecond: 1, burst: 0 } }, 'throttle.burst must be a whole number of at least 1, received 0'],
  [{ rateLimits: { reads: 1.5 } }, 'rateLimits.reads must be a whole number of at least 1, received 1.5'],
  [
    { fullPassEvery: Duration.minutes(90) },
    'fullPassEvery must be whole hours, at least one, received 1 hour 30 minutes',
  ],
  [
    { events: { replayRetention: Duration.hours(12) } },
    'events.replayRetention must be whole days, at least one, received 12 hours',
  ],
  [
    { audit: { retention: Duration.hours(36) } },
    'audit.retention must be whole days, at least one, received 1 day 12 hours',
  ],
  [{ audit: { lock: 'legal' as 'governance' } }, 'audit.lock must be governance or compliance, received "legal"'],
  [
    { tokens: { ...tokens, issuer: 'issuer' } },
    'tokens.issuer must begin with https://, or http://localhost for development, received "issuer"',
  ],
  [{ tokens: { ...tokens, audience: '' } }, 'tokens.audience must be the aud of the tokens, received ""'],
  [
    { tokens: { ...tokens, jwksUri: '' } },
    'tokens.jwksUri must begin with https://, or http://localhost for development, received ""',
  ],
  [
    { tokenJwksUri: 'keys' },
    'tokenJwksUri must begin with https://, or http://localhost for development, received "keys"',
  ],
  [
    { tokenJwksUri: 'http://keys.example/jwks.json' },
    'tokenJwksUri must begin with https://, or http://localhost for development, received "http://keys.example/jwks.json"',
  ],
  [{ webAcl: 'mine' }, 'webAcl must be true, false, or the ARN of a regional web ACL, received "mine"'],
  [{ cors: { allowedOrigins: [] } }, 'cors.allowedOrigins must have an origin, received none'],
  [
    { fraud: { outgoingPerDay: { count: -1, amount } } },
    'fraud.outgoingPerDay.count must be a whole number of at least 0, received -1',
  ],
  [
    { fraud: { inAndOut: { minutes: 61, amount } } },
    'fraud.inAndOut.minutes must be a whole number from 1 to 60, received 61',
  ],
  [
    { fraud: { byCurrency: { EUR: { newDestination: { amount: 0.5 } } } } },
    'fraud.byCurrency.EUR.newDestination.amount must be a whole number of at least 0, received 0.5',
  ],
  [
    { fraud: { byCurrency: { euro: {} } } },
    'fraud.byCurrency takes currencies as three capital letters, received "euro"',
  ],
  [
    { fraud: { byCurrency: { '': { newDestination: { amount: 1 } } }, newDestination: { amount: -1 } } },
    'fraud.newDestination.amount must be a whole number of at least 0, received -1',
  ],
  [{ fraud: { byCurrency: { '': {} } } }, 'fraud.byCurrency takes currencies as three capital letters, received ""'],
  [
    { operatorLimits: { byCurrency: { '': {} } } },
    'operatorLimits.byCurrency takes currencies as three capital letters, received ""',
  ],
  [{ tiers: { Gold: {} } }, 'tiers takes names of 1 to 40 small letters, digits and hyphens, received "Gold"'],
  [
    { tiers: { basic: { out: { perDay: -1 } } } },
    'tiers.basic.out.perDay must be a whole number of at least 0, received -1',
  ],
  [
    { tiers: { basic: { byCurrency: { JPY: { maximumBalance: 0.5 } } } } },
    'tiers.basic.byCurrency.JPY.maximumBalance must be a whole number of at least 0, received 0.5',
  ],
  [
    { tiers: { basic: { byCurrency: { yen: {} } } } },
    'tiers.basic.byCurrency takes currencies as three capital letters, received "yen"',
  ],
  [
    { tiers: { basic: { minimumBalance: 1, creditLine: 2 } } },
    'tiers.basic takes minimumBalance or creditLine, received both, 1 and 2',
  ],
  [
    { tiers: { basic: { in: { ...({ perWeek: 1 } as object) } } } },
    'tiers.basic.in takes perTransaction, perDay, perMonth, received "perWeek"',
  ],
  [
    { tiers: Object.fromEntries(Array.from({ length: 200 }, (_, n) => [`tier-${n}`, { maximumBalance: n }])) },
    'tiers and operatorLimits must have at most 3000 bytes together as JSON, received 6583',
  ],
  [
    { fees: { refund: { flat: 1 } } as object },
    'fees takes transfer, withdrawal, capture, charge, revenueWallets, received "refund"',
  ],
  [{ fees: { transfer: { flat: -1 } } }, 'fees.transfer.flat must be a whole number of at least 0, received -1'],
  [
    { fees: { charge: { basisPoints: 10_000 } } },
    'fees.charge.basisPoints must be a whole number from 0 to 9999, received 10000',
  ],
  [
    { fees: { charge: { byCurrency: { JPY: { basisPoints: 2.5 } } } } },
    'fees.charge.byCurrency.JPY.basisPoints must be a whole number from 0 to 9999, received 2.5',
  ],
  [
    { fees: { charge: { byCurrency: { yen: {} } } } },
    'fees.charge.byCurrency takes currencies as three capital letters, received "yen"',
  ],
  [
    { fees: { capture: { flat: 5, minimum: 10 } } },
    'fees.capture takes minimum and maximum only with basisPoints, received 10',
  ],
  [
    { fees: { capture: { basisPoints: 5, minimum: 10, maximum: 9 } } },
    'fees.capture.minimum must be at most its maximum, 9, received 10',
  ],
  [
    { fees: { withdrawal: { ...({ percent: 2 } as object) } } },
    'fees.withdrawal takes flat, basisPoints, minimum, maximum, received "percent"',
  ],
  [
    { fees: { revenueWallets: { USD: 'w_eur_4zqmn7c2xk5vtj3hd6wpyafr2e' } } },
    'fees.revenueWallets.USD must be the id of a wallet in USD, received "w_eur_4zqmn7c2xk5vtj3hd6wpyafr2e"',
  ],
  [
    { fees: { revenueWallets: { usd: 'w_usd_4zqmn7c2xk5vtj3hd6wpyafr2e' } } },
    'fees.revenueWallets takes currencies as three capital letters, received "usd"',
  ],
  [
    { fees: { charge: { byCurrency: Object.fromEntries(currencies.map((currency) => [currency, { flat: 1_000 }])) } } },
    'fees, operatorLimits and fourEyes must have at most 3000 bytes together as JSON, received 4056',
  ],
  [{ fraud: false, screeningConcurrency: 5 }, 'screeningConcurrency is of no use with fraud: false, received 5'],
  [
    { notifications: false, notificationConcurrency: 5 },
    'notificationConcurrency is of no use with notifications: false, received 5',
  ],
  [{ monthlyBudget: { dollars: NaN, emails } }, 'monthlyBudget.dollars must be a number above 0, received NaN'],
  [{ monthlyBudget: { dollars: 0, emails } }, 'monthlyBudget.dollars must be a number above 0, received 0'],
  [{ monthlyBudget: { dollars: -5, emails } }, 'monthlyBudget.dollars must be a number above 0, received -5'],
  [
    { backup: { schedule: Schedule.expression('cron(0 3 * * *)') } },
    'backup.schedule must be a cron expression, received "cron(0 3 * * *)"',
  ],
  [{ ...({ domain: null } as object) }, 'domain must be left out or have a value, received null'],
  [
    { ...({ tokens: { ...tokens, jwksUri: null } } as object) },
    'tokens.jwksUri must be left out or have a value, received null',
  ],
  [{ monthlyBudget: { dollars: 1, emails: ['me'] } }, 'monthlyBudget.emails must be e-mail addresses, received "me"'],
  [
    { monthlyBudget: { dollars: 1, emails: Array<string>(11).fill('finance@example.com') } },
    'monthlyBudget.emails must be at most 10 addresses, received 11',
  ],
  [
    { monthlyBudget: { dollars: 1 } },
    'monthlyBudget needs monthlyBudget.emails, warningTopic or alarmTopic, received none of them',
  ],
  [{ logLevel: 'DEBUG' as LogLevel }, 'logLevel must be INFO, WARN or ERROR, received DEBUG'],
  [{ ...({ logRetention: 91 } as object) }, 'logRetention must be one of RetentionDays, received 91'],
  [
    { warmThroughput: { commands: 1.5, reads: 0 } },
    'warmThroughput.commands must be a whole number of at least 0, received 1.5',
  ],
];

describe('the synthesis refuses', () => {
  it('a service without a bank, of a caller in JavaScript', () => {
    const stack = new Stack(newApp({ builtinCloudFormationValidation: false }), 'Refused');
    assert.throws(() => new WalletService(stack, 'Wallets', {} as WalletServiceProps), {
      message: 'bank must have the url of the bank and its notFoundWindow, received undefined',
    });
  });

  for (const [props, message] of refused) {
    it(message, () => {
      refuses(props, message);
    });
  }

  it('a domain name that API Gateway, or its zone, would refuse', () => {
    const stack = new Stack(newApp({ builtinCloudFormationValidation: false }), 'Domains', {
      env: { account: '111122223333', region: 'eu-central-1' },
    });
    const certificate = Certificate.fromCertificateArn(
      stack,
      'Certificate',
      'arn:aws:acm:eu-central-1:111122223333:certificate/1',
    );
    const hostedZone = HostedZone.fromHostedZoneAttributes(stack, 'Zone', {
      hostedZoneId: 'Z1',
      zoneName: 'other.example',
    });
    const domain = { name: 'wallets.example.com', certificate };
    for (const [given, message] of [
      [
        { ...domain, name: 'Wallets' },
        'domain.name must be a name in lower case such as wallets.example.com, received "Wallets"',
      ],
      [{ ...domain, basePath: 'a/b' }, 'domain.basePath must be one part of a path, without slashes, received "a/b"'],
      [
        { ...domain, hostedZone },
        'domain.name must be in domain.hostedZone other.example, received "wallets.example.com"',
      ],
    ] as const) {
      refuses({ domain: given }, message);
    }
  });

  it('a certificate or key of another region, and an alias in place of a key', () => {
    const app = newApp({ builtinCloudFormationValidation: false });
    const env = { account: '111122223333', region: 'eu-central-1' };
    const stack = new Stack(app, 'Regions', { env });
    const elsewhere = 'arn:aws:acm:us-east-1:111122223333:certificate/1';
    const certificate = Certificate.fromCertificateArn(stack, 'Certificate', elsewhere);
    const key = 'arn:aws:kms:us-east-1:111122223333:key/1';
    const alias = Alias.fromAliasName(stack, 'Alias', 'alias/wallet');
    const cases: readonly (readonly [props: Partial<WalletServiceProps>, message: string | RegExp])[] = [
      [
        { domain: { name: 'wallets.example.com', certificate } },
        `domain.certificate must be in the stack's region, eu-central-1, received "${elsewhere}"`,
      ],
      [
        { encryptionKey: Key.fromKeyArn(stack, 'Key', key) },
        `encryptionKey must be in the stack's region, eu-central-1, received "${key}"`,
      ],
      [{ encryptionKey: alias }, /^encryptionKey must be the key itself, received an alias, /],
    ];
    for (const [number, [props, message]] of cases.entries()) {
      const own = new Stack(app, `Refused${number}`, { env });
      assert.throws(() => new WalletService(own, 'Wallets', { bank, ...props }), { message });
    }
    const own = new Stack(app, 'Accepted', { env });
    assert.doesNotThrow(() => new WalletService(own, 'Wallets', { bank, encryptionKey: new Key(own, 'Key') }));
  });

  it('null in a prop of the stack', () => {
    const props = { alarmTopicArn: null } as object;
    assert.throws(() => new WalletStack(newApp({ builtinCloudFormationValidation: false }), 'Refused', props), {
      message: 'alarmTopicArn must be left out or have a value, received null',
    });
  });

  it('keys by http of another machine, but for a host that the context of an emulator names', () => {
    const of = (host: string) => {
      const stack = new Stack(newApp({ builtinCloudFormationValidation: false }), 'Emulated');
      stack.node.setContext(plainHostContext, 'host.docker.internal');
      const props = { bank, tokens: { ...tokens, jwksUri: `http://${host}:9010/jwks.json` } };
      return () => new WalletService(stack, 'Wallets', props);
    };
    for (const host of ['localhost', '127.0.0.1', '[::1]', 'host.docker.internal']) assert.doesNotThrow(of(host));
    for (const host of ['keys.example', 'localhost.example', '127.0.0.1.example']) {
      assert.throws(of(host), { message: new RegExp(`^tokens.jwksUri must begin with https://.*${host}`) });
    }
  });

  it("a key of one's own in a stack without a region", () => {
    const stack = new Stack(newApp({ builtinCloudFormationValidation: false }), 'Keys');
    refuses(
      { encryptionKey: new Key(stack, 'Key') },
      'encryptionKey needs a stack with a region: give env.region, received none',
    );
  });
});
