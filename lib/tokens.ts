import { Aws, Duration, Token, Validations } from 'aws-cdk-lib';
import { IdentitySource, RequestAuthorizer } from 'aws-cdk-lib/aws-apigateway';
import { Mfa, OAuthScope, ResourceServerScope, UserPool } from 'aws-cdk-lib/aws-cognito';
import type { AuthFlow, UserPoolClient, UserPoolDomain } from 'aws-cdk-lib/aws-cognito';
import { Construct } from 'constructs';
import { backendScopes, operatorGroups, ownerScopes, resourceServer, scopes } from '../lambdas/contract.ts';
import type { Environment } from '../lambdas/contract.ts';
import type { LedgerTable } from './ledger-table.ts';
import { WalletFunction } from './wallet-function.ts';

/** An issuer of access tokens that already exists. */
export interface TokenIssuer {
  /** The `iss` claim, exactly; an https URL. */
  readonly issuer: string;

  /** The value that the `aud` claim must have. */
  readonly audience: string;

  /**
   * The URL of the issuer's public keys.
   *
   * @default `<issuer>/.well-known/jwks.json`
   */
  readonly jwksUri?: string;
}

/** The URLs that the stack's own user pool sends people back to: https, or `http://localhost`. */
export interface People {
  /**
   * After the sign-in, with a code: pages, or tools on a person's machine, that exchange it for tokens. One at least.
   */
  readonly callbackUrls: string[];

  /**
   * After the sign-out.
   *
   * @default - none
   */
  readonly logoutUrls?: string[];
}

/** Properties of `Tokens`. */
export interface TokensProps {
  readonly issuer: TokenIssuer | undefined;
  readonly people: People | undefined;
  /** URL of the keys of the stack's own user pool; undefined for the pool's own URL. */
  readonly jwksUri: string | undefined;
  readonly ledger: LedgerTable;
  readonly deletionProtection: boolean;
  /** Tokens not signed by the issuer that one address may have checked, in one container. */
  readonly badTokensPerMinute: number;
}

/** The issuer of tokens, given or created, and the authorizer that checks them at the gateway. */
export class Tokens extends Construct {
  /** The variables of a function that checks tokens. */
  readonly environment: Omit<Environment<'authorizer'>, 'TABLE_NAME' | 'BAD_TOKENS_PER_MINUTE'>;
  readonly authorizer: RequestAuthorizer;
  readonly authorizerFunction: WalletFunction<'authorizer'>;
  /** The stack's own user pool; undefined where an issuer is given. */
  readonly cognito: CognitoIssuer | undefined;

  constructor(scope: Construct, id: string, props: TokensProps) {
    super(scope, id);
    if (props.issuer) {
      if (props.people) throw new Error("people sign in at the stack's own user pool: give people or tokens, not both");
      if (props.jwksUri) throw new Error("tokenJwksUri is for the stack's own user pool: give tokens.jwksUri instead");
      this.environment = {
        TOKEN_KIND: 'oidc',
        TOKEN_ISSUER: props.issuer.issuer,
        TOKEN_AUDIENCE: props.issuer.audience,
        TOKEN_JWKS_URI: props.issuer.jwksUri ?? jwksUriOf(props.issuer.issuer),
      };
    } else {
      const { people, deletionProtection } = props;
      this.cognito = new CognitoIssuer(this, 'Cognito', { people, deletionProtection });
      const issuer = this.cognito.userPool.userPoolProviderUrl;
      this.environment = {
        TOKEN_KIND: 'cognito',
        TOKEN_ISSUER: issuer,
        TOKEN_AUDIENCE: resourceServer,
        TOKEN_JWKS_URI: props.jwksUri ?? jwksUriOf(issuer),
      };
    }
    this.authorizerFunction = new WalletFunction(this, 'authorizer', {
      environment: {
        TABLE_NAME: props.ledger.allow({ GetItem: ['issuer'], PutItem: ['issuer'] }),
        ...this.environment,
        BAD_TOKENS_PER_MINUTE: String(props.badTokensPerMinute),
      },
    });
    this.authorizer = new RequestAuthorizer(this, 'Authorizer', {
      handler: this.authorizerFunction.invoked,
      identitySources: [IdentitySource.header('Authorization')],
      // Its answer allows every route, so that it can be used again for all of them; handlers decide by scope. The
      // authorizer's own keys are up to two minutes old: a withdrawn signing key is refused within five minutes.
      resultsCacheTtl: Duration.minutes(2),
    });
  }
}

/**
 * Allows only the refresh of tokens. If a client names no flow, Cognito lets people sign in without its OAuth scopes.
 */
const noDirectSignIn: AuthFlow = { userSrp: false };

/** Properties of `CognitoIssuer`. */
export interface CognitoIssuerProps {
  readonly people: People | undefined;
  readonly deletionProtection: boolean;
}

/**
 * A Cognito user pool with the service's scopes, a token endpoint, a client for a backend, and groups of operators.
 * With `people` it also has a client that people sign in with.
 */
export class CognitoIssuer extends Construct {
  readonly userPool: UserPool;
  readonly machineClient: UserPoolClient;
  readonly peopleClient: UserPoolClient | undefined;
  /** The URL at which a client exchanges its secret, or the code of a person who has signed in, for a token. */
  readonly tokenEndpoint: string;
  /** The URL at which people sign in and get a code. */
  readonly authorizeEndpoint: string;

  constructor(scope: Construct, id: string, { people, deletionProtection }: CognitoIssuerProps) {
    super(scope, id);
    this.userPool = newPool(this, deletionProtection);
    for (const [groupName, scopeName] of Object.entries(operatorGroups)) {
      this.userPool.addGroup(groupName, { groupName, description: `Operators with the scope ${scopeName}` });
    }
    const serverScopes = new Map(
      scopes.map((scopeName) => [
        scopeName,
        new ResourceServerScope({ scopeName, scopeDescription: `wallet service: ${scopeName}` }),
      ]),
    );
    const server = this.userPool.addResourceServer('ResourceServer', {
      identifier: resourceServer,
      scopes: [...serverScopes.values()],
    });
    const named = (names: readonly (typeof scopes)[number][]): OAuthScope[] =>
      [...serverScopes].flatMap(([name, each]) =>
        names.includes(name) ? [OAuthScope.resourceServer(server, each)] : [],
      );
    this.machineClient = this.userPool.addClient('MachineClient', {
      generateSecret: true,
      authFlows: noDirectSignIn,
      oAuth: {
        flows: { clientCredentials: true },
        scopes: named(backendScopes),
      },
      accessTokenValidity: Duration.hours(1),
    });
    // A prefix must be unique in the region. The account's number and this construct's address in its app make it
    // unique.
    const domain: UserPoolDomain = this.userPool.addDomain('Domain', {
      cognitoDomain: { domainPrefix: `wallet-${Aws.ACCOUNT_ID}-${this.node.addr.slice(-8)}` },
    });
    this.tokenEndpoint = `${domain.baseUrl()}/oauth2/token`;
    this.authorizeEndpoint = `${domain.baseUrl()}/oauth2/authorize`;
    if (!people) return;
    checkPeople(people);
    this.peopleClient = this.userPool.addClient('PeopleClient', {
      generateSecret: false,
      authFlows: noDirectSignIn,
      oAuth: {
        flows: { authorizationCodeGrant: true },
        // Operators are made by group (lambdas/http/tokens.ts), so that no client of the pool can make one.
        scopes: named(ownerScopes),
        callbackUrls: people.callbackUrls,
        ...(people.logoutUrls && { logoutUrls: people.logoutUrls }),
      },
      preventUserExistenceErrors: true,
      // A person who was removed from a group keeps the group's scope until the token is refreshed or expires.
      accessTokenValidity: Duration.minutes(15),
      refreshTokenValidity: Duration.hours(12),
    });
  }
}

/** Adds a pool. An administrator adds its people, who sign in with a password and an authenticator app. */
function newPool(scope: Construct, deletionProtection: boolean): UserPool {
  const pool = new UserPool(scope, 'UserPool', {
    selfSignUpEnabled: false,
    signInAliases: { email: true },
    passwordPolicy: {
      minLength: 12,
      requireLowercase: true,
      requireUppercase: true,
      requireDigits: true,
      requireSymbols: true,
    },
    // By an authenticator app only: an attacker can take over a phone number, and SMS needs a role.
    mfa: Mfa.REQUIRED,
    mfaSecondFactor: { sms: false, otp: true },
    deletionProtection,
  });
  Validations.of(pool).acknowledge(
    {
      id: 'AwsSolutions-COG3',
      reason:
        'Threat protection is off, as it needs the Plus plan. A stolen password does not sign in without the app.',
    },
    {
      id: 'AwsSolutions-COG8',
      reason: 'The Plus plan costs for each user and adds threat protection; few people sign in, all with an app.',
    },
  );
  return pool;
}

/** Throws for a URL to which no code may be sent. Does not check URLs that are parameters. */
function checkPeople({ callbackUrls, logoutUrls = [] }: People): void {
  if (callbackUrls.length === 0) throw new Error('people.callbackUrls must have a URL, received none');
  for (const [name, urls] of Object.entries({ callbackUrls, logoutUrls })) {
    for (const text of urls) {
      if (Token.isUnresolved(text)) continue;
      const url = URL.parse(text);
      const isSafe = url?.protocol === 'https:' || (url?.protocol === 'http:' && url.hostname === 'localhost');
      if (isSafe && url.username + url.password === '' && !text.includes('#')) continue;
      throw new Error(
        `people.${name} takes https URLs, or http://localhost, without credentials and fragment; received "${text}"`,
      );
    }
  }
}

function jwksUriOf(issuer: string): string {
  return `${issuer}/.well-known/jwks.json`;
}
