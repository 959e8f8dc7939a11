import { CfnOutput, CfnParameter, Stack, type StackProps } from 'aws-cdk-lib';
import type { Construct } from 'constructs';
import { WalletService, type WalletServiceProps } from './wallet-service.ts';

/** Properties of `WalletStack`: those of the service, but that the bank's URL is a parameter of the stack. */
export interface WalletStackProps extends StackProps, Omit<WalletServiceProps, 'bank'> {
  /**
   * The bank's limits.
   *
   * @default - those of `BankProps`
   */
  readonly bank?: Omit<WalletServiceProps['bank'], 'url'>;
}

/** The service as one stack, for teams that deploy it as it is. */
export class WalletStack extends Stack {
  readonly service: WalletService;

  constructor(scope: Construct, id: string, props: WalletStackProps = {}) {
    super(scope, id, { description: 'Wallet service', ...props });
    const bankUrl = new CfnParameter(this, 'BankUrl', {
      type: 'String',
      description: "Base URL of the bank's API",
      allowedPattern: String.raw`https?://[^\s?#]+`,
      constraintDescription: 'must be an http or https URL without query',
    });
    this.service = new WalletService(this, 'Service', {
      ...props,
      bank: { ...props.bank, url: bankUrl.valueAsString },
    });

    const { api, bankSecret, cognito } = this.service;
    new CfnOutput(this, 'ApiUrl', { value: api.url, description: 'Base URL of the API' });
    new CfnOutput(this, 'BankSecretArn', {
      value: bankSecret.secretArn,
      description: 'Secret with the HMAC key that requests to the bank are signed with',
    });
    if (cognito) {
      new CfnOutput(this, 'TokenEndpoint', {
        value: cognito.tokenEndpoint,
        description: 'Where a client exchanges its id and secret for an access token',
      });
      new CfnOutput(this, 'ClientId', {
        value: cognito.machineClient.userPoolClientId,
        description: 'Client for machines; its secret: aws cognito-idp describe-user-pool-client',
      });
      new CfnOutput(this, 'UserPoolId', { value: cognito.userPool.userPoolId, description: 'The user pool' });
    }
  }
}
