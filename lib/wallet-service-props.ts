import type { OperatorLimits, Tiers } from '../lambdas/contract.ts';
import type { DomainProps } from './api-domain.ts';
import type { CorsProps, ThrottleProps } from './api.ts';
import type { BankProps } from './bank-props.ts';
import type { FeesOptions } from './fees.ts';
import type { FourEyesOptions } from './four-eyes.ts';
import type { RateLimits } from './rate-limits.ts';
import type { People, TokenIssuer } from './tokens.ts';
import type { WebAcl } from './web-acl.ts';
import type { FeatureProps } from './feature-props.ts';
import type { LoadProps } from './load-props.ts';
import type { OperationProps } from './operation-props.ts';

/** Properties of `WalletService`. Here are the bank, the callers and the rules for money; the others are inherited. */
export interface WalletServiceProps extends FeatureProps, LoadProps, OperationProps {
  /** The bank that pays the withdrawals. */
  readonly bank: BankProps;

  /**
   * The issuer of callers' access tokens.
   *
   * @default - a Cognito user pool with the service's scopes, a token endpoint, a client for a backend, and groups of people
   */
  readonly tokens?: TokenIssuer;

  /**
   * Lets people sign in at the stack's own user pool, with a password and an authenticator app. Then they return to one of
   * these URLs. They may ask for the scopes `read` and `write`. Members of the group `wallet-support` also get the scope
   * `support`, members of `wallet-decide` the scope `decide`.
   *
   * @default - people cannot sign in
   */
  readonly people?: People;

  /**
   * URL at which the service reads the public keys of the stack's own user pool. Set it where the pool's own URL does not
   * work, such as on an emulator. For an issuer of yours, set `tokens.jwksUri`.
   *
   * @default - the pool's own URL
   */
  readonly tokenJwksUri?: string;

  /**
   * Limits of one end user in an hour.
   *
   * @default - 10 wallets, 100 transfers, 50 withdrawals, 20 statement files, 100 cancellations, 1000 reads, 100 refusals;
   * 20 bad tokens of one address a minute
   */
  readonly rateLimits?: RateLimits;

  /**
   * Largest amount of one command by an operator, in minor units:
   * `{ charge: 1_000_000, byCurrency: { JPY: { charge: 100_000_000 } } }`. A larger amount is refused with
   * `operator_limit_exceeded`, also for an operator with every scope.
   *
   * `charge`, `withdraw`, `transfer` and `resolve` (a withdrawal that an operator resolves) limit the commands of these names.
   * `transfer` also limits the sum of the legs of a split. Where one of these is absent, another limit takes its place:
   * - `open-hold` and `capture`: `transfer`, or `withdraw` where no wallet receives the money
   * - `refund`: `charge` for the refund of a charge, otherwise `transfer`
   * - `credit`, the credit line that an operator gives to a wallet: `charge`
   *
   * @default - no limits
   */
  readonly operatorLimits?: OperatorLimits;

  /**
   * Named sets of limits that operators give to wallets, in minor units:
   * `{ basic: { out: { perDay: 50_000 }, maximumBalance: 100_000, byCurrency: { JPY: { out: { perDay: 7_500_000 } } } } }`.
   * A wallet keeps the limits that the tier had when it was given to it. docs/limits.md describes each limit.
   *
   * @default - no tiers; limits are set one by one
   */
  readonly tiers?: Tiers;

  /**
   * Fees of transfers, withdrawals, captures and charges (docs/fees.md): a flat amount and a share in basis points, with a
   * `minimum` and a `maximum`, in minor units. Each leg of a split is a transfer. For instance
   * `{ transfer: { flat: 25 }, charge: { flat: 30, basisPoints: 290, byCurrency: { JPY: { basisPoints: 360 } } } }`.
   * `revenueWallets` names the wallets that collect the fees. The fee of a transaction is fixed when it is accepted.
   *
   * @default - no fees
   */
  readonly fees?: FeesOptions;

  /**
   * Commands of operators that one operator asks for and another approves (docs/approvals.md): charges and refunds above an
   * amount in minor units, changes that raise limits, and all resolutions and unfreezings. For instance
   * `{ charge: { above: 1_000_000, byCurrency: { JPY: 100_000_000 } }, resolve: true, unfreeze: true, limits: true }`.
   *
   * @default - no command needs a second operator, and the routes of approvals are left out
   */
  readonly fourEyes?: FourEyesOptions;

  /**
   * The web ACL in front of the API: one of the service's own, one of yours by its ARN, or none. The service's own
   * blocks an IP address while it sends more than half of the limit in `throttle`, averaged over five minutes.
   *
   * @default true
   */
  readonly webAcl?: WebAcl;

  /**
   * Limits for the requests of all callers together.
   *
   * @default - 1000 a second, 2000 at once
   */
  readonly throttle?: ThrottleProps;

  /**
   * The web pages that may use the API from a browser.
   *
   * @default - none: CORS is off
   */
  readonly cors?: CorsProps;

  /**
   * A domain name of yours for the API.
   *
   * @default - the API's own address
   */
  readonly domain?: DomainProps;
}
