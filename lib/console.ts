import { Construct } from 'constructs';
import { consoleFeatures, ownerScopes, resourceServer } from '../lambdas/contract.ts';
import type { ConsoleFeature, ConsoleSettings, ConsoleSignIn } from '../lambdas/contract.ts';
import type { CognitoIssuer } from './tokens.ts';
import { WalletFunction } from './wallet-function.ts';

/** The page for operators. */
export interface ConsoleOptions {
  /**
   * The sign-in of operators at the issuer of `tokens`. Its client must allow the page's URL as a callback.
   *
   * @default - with `people`, the sign-in at the stack's own user pool; otherwise tokens are pasted
   */
  readonly signIn?: ConsoleSignIn;

  /**
   * Whether the page signs in at the issuer of the runner, follows its bus, and has buttons that make test payments.
   * Only for `npm start`: a deployed service has none of these.
   *
   * @default false
   */
  readonly development?: boolean;
}

/** Properties of `OperatorConsole`. */
export interface OperatorConsoleProps {
  readonly options: ConsoleOptions;
  /** The stack's own user pool; undefined where an issuer is given. */
  readonly cognito: CognitoIssuer | undefined;
  /** The parts that the page has forms for; undefined where the service leaves one out. */
  readonly parts: Readonly<Record<ConsoleFeature, Construct | undefined>>;
}

/** The page for operators, which the API serves to every browser. All that it shows needs the token of an operator. */
export class OperatorConsole extends Construct {
  readonly functions;

  constructor(scope: Construct, id: string, { options, cognito, parts }: OperatorConsoleProps) {
    super(scope, id);
    const { signIn = signInAt(cognito), development } = options;
    const features = consoleFeatures.filter((name) => parts[name] !== undefined);
    const settings: ConsoleSettings = { signIn, ...(development === true && { development }), features };
    this.functions = {
      console: new WalletFunction(this, 'console', {
        environment: { CONSOLE_SETTINGS: JSON.stringify(settings) },
      }),
    };
  }
}

/** Returns the sign-in at the stack's own user pool; undefined where people cannot sign in there. */
function signInAt(cognito: CognitoIssuer | undefined): ConsoleSignIn | undefined {
  if (cognito?.peopleClient === undefined) return undefined;
  return {
    authorizeEndpoint: cognito.authorizeEndpoint,
    tokenEndpoint: cognito.tokenEndpoint,
    clientId: cognito.peopleClient.userPoolClientId,
    // The groups of the pool give operators their scopes.
    scope: ownerScopes.map((scope) => `${resourceServer}/${scope}`).join(' '),
  };
}
