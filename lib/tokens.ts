import { Aws, Duration, Validations } from 'aws-cdk-lib';
import { IdentitySource, RequestAuthorizer } from 'aws-cdk-lib/aws-apigateway';
import {
  OAuthScope,
  ResourceServerScope,
  UserPool,
  type UserPoolClient,
  type UserPoolDomain,
} from 'aws-cdk-lib/aws-cognito';
import { Construct } from 'constructs';
import { type Environment, resourceServer, scopes } from '../lambdas/contract.ts';
import type { LedgerTable } from './ledger-table.ts';
import { WalletFunction } from './wallet-function.ts';

/** An issuer of access tokens that already exists. */
export interface TokenIssuer {
  /** The `iss` claim, exactly; an https URL. */
  readonly issuer: string;

  /** What the `aud` claim must name. */
  readonly audience: string;

  /**
   * Where the issuer's public keys are.
   *
   * @default `<issuer>/.well-known/jwks.json`
   */
  readonly jwksUri?: string;
}

/** Properties of `Tokens`. */
export interface TokensProps {
  readonly issuer: TokenIssuer | undefined;
  readonly ledger: LedgerTable;
  readonly deletionProtection: boolean;
  /** Tokens not signed by the issuer that one address may have checked, in one container. */
  readonly badTokensPerMinute: number;
}

/** Who may call: the issuer of tokens, given or created, and the authorizer that checks them at the gateway. */
export class Tokens extends Construct {
  /** What a function needs to check tokens. */
  readonly environment: Omit<Environment<'authorizer'>, 'TABLE_NAME' | 'BAD_TOKENS_PER_MINUTE'>;
  readonly authorizer: RequestAuthorizer;
  readonly authorizerFunction: WalletFunction<'authorizer'>;
  /** The user pool that stands in where no issuer is given. */
  readonly cognito: CognitoIssuer | undefined;

  constructor(scope: Construct, id: string, props: TokensProps) {
    super(scope, id);
    if (props.issuer) {
      this.environment = {
        TOKEN_KIND: 'oidc',
        TOKEN_ISSUER: props.issuer.issuer,
        TOKEN_AUDIENCE: props.issuer.audience,
        TOKEN_JWKS_URI: props.issuer.jwksUri ?? jwksUriOf(props.issuer.issuer),
      };
    } else {
      this.cognito = new CognitoIssuer(this, 'Cognito', { deletionProtection: props.deletionProtection });
      const issuer = this.cognito.userPool.userPoolProviderUrl;
      this.environment = {
        TOKEN_KIND: 'cognito',
        TOKEN_ISSUER: issuer,
        TOKEN_AUDIENCE: resourceServer,
        TOKEN_JWKS_URI: jwksUriOf(issuer),
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
      handler: this.authorizerFunction.handler,
      identitySources: [IdentitySource.header('Authorization')],
      // Its answer allows every route, so that it can be used again for all of them; handlers decide by scope. The
      // authorizer's own keys are up to two minutes old: a withdrawn signing key is refused within five minutes.
      resultsCacheTtl: Duration.minutes(2),
    });
  }
}

/** A Cognito user pool with the service's scopes, a token endpoint and a client for services that call this one. */
export class CognitoIssuer extends Construct {
  readonly userPool: UserPool;
  readonly machineClient: UserPoolClient;
  /** Where `grant_type=client_credentials` is exchanged for a token. */
  readonly tokenEndpoint: string;

  constructor(scope: Construct, id: string, props: { readonly deletionProtection: boolean }) {
    super(scope, id);
    this.userPool = new UserPool(this, 'UserPool', {
      selfSignUpEnabled: false,
      signInAliases: { email: true },
      passwordPolicy: {
        minLength: 12,
        requireLowercase: true,
        requireUppercase: true,
        requireDigits: true,
        requireSymbols: true,
      },
      deletionProtection: props.deletionProtection,
    });
    Validations.of(this.userPool).acknowledge(
      { id: 'AwsSolutions-COG2', reason: 'As created it has no users: machines get tokens, which cannot do MFA.' },
      { id: 'AwsSolutions-COG3', reason: 'Threat protection watches sign-ins of users, of which there are none.' },
      {
        id: 'AwsSolutions-COG8',
        reason: 'The Plus plan adds only threat protection, which watches sign-ins of users.',
      },
    );
    const serverScopes = scopes.map(
      (scopeName) => new ResourceServerScope({ scopeName, scopeDescription: `wallet service: ${scopeName}` }),
    );
    const server = this.userPool.addResourceServer('ResourceServer', {
      identifier: resourceServer,
      scopes: serverScopes,
    });
    this.machineClient = this.userPool.addClient('MachineClient', {
      generateSecret: true,
      authFlows: {},
      oAuth: {
        flows: { clientCredentials: true },
        scopes: serverScopes.map((each) => OAuthScope.resourceServer(server, each)),
      },
      accessTokenValidity: Duration.hours(1),
    });
    // A prefix must be unique in the region: the account's number and this construct's address in its app make it so.
    const domain: UserPoolDomain = this.userPool.addDomain('Domain', {
      cognitoDomain: { domainPrefix: `wallet-${Aws.ACCOUNT_ID}-${this.node.addr.slice(-8)}` },
    });
    this.tokenEndpoint = `${domain.baseUrl()}/oauth2/token`;
  }
}

function jwksUriOf(issuer: string): string {
  return `${issuer}/.well-known/jwks.json`;
}
