/** Cognito: a user pool is an issuer of development tokens. It has clients and scopes, and no people to sign in. */
import { createHash } from 'node:crypto';
import { region } from '../cloudformation/account.ts';
import { resourceType } from '../machine/machine.ts';
import type { Service } from '../machine/machine.ts';
import { issuerRoutes, openIssuer } from './issuer.ts';
import type { Issuer } from './issuer.ts';

export const cognito: Service<Issuer> = {
  open({ baseUrl, data, environment }) {
    environment['AWS_ENDPOINT_URL_COGNITO_IDENTITY_PROVIDER'] = baseUrl;
    return openIssuer(data.path('issuer.json'));
  },
  types: {
    'AWS::Cognito::UserPool': resourceType({
      shape: {
        AccountRecoverySetting: 'cloud',
        AdminCreateUserConfig: 'cloud',
        DeletionProtection: 'cloud',
        EmailVerificationMessage: 'cloud',
        EmailVerificationSubject: 'cloud',
        EnabledMfas: 'cloud',
        MfaConfiguration: 'cloud',
        Policies: 'cloud',
        SmsVerificationMessage: 'cloud',
        UsernameAttributes: 'cloud',
        AutoVerifiedAttributes: 'cloud',
        VerificationMessageTemplate: 'cloud',
      },
      identify(logicalId, { arn }) {
        const id = `${region}_${createHash('sha256').update(logicalId).digest('hex').slice(0, 9)}`;
        // As Cognito's own: the issuer of a data folder's tokens stays the same on another port.
        const providerName = `cognito-idp.${region}.amazonaws.com/${id}`;
        const attributes = { ProviderName: providerName, ProviderURL: `https://${providerName}`, UserPoolId: id };
        return { ref: id, attributes: { Arn: arn('cognito-idp', `userpool/${id}`), ...attributes } };
      },
      boot(machine, { identity }) {
        const issuer = machine.use(cognito);
        issuer.serve(identity.attributes['ProviderURL'] ?? '');
        machine.routes.add(...issuerRoutes(issuer, `/${identity.ref}/.well-known/jwks.json`));
      },
    }),
    'AWS::Cognito::UserPoolResourceServer': resourceType<{ Identifier: string; Scopes?: { ScopeName: string }[] }>({
      shape: {
        Identifier: true,
        Name: 'cloud',
        Scopes: [{ ScopeName: true, ScopeDescription: 'cloud' }],
        UserPoolId: 'cloud',
      },
      boot(machine, { properties }) {
        machine.use(cognito).allow(properties.Identifier, properties.Scopes?.map(({ ScopeName }) => ScopeName) ?? []);
      },
    }),
    'AWS::Cognito::UserPoolClient': resourceType({
      // Development tokens are given to any client that asks.
      shape: {
        AccessTokenValidity: 'cloud',
        AllowedOAuthFlows: 'cloud',
        AllowedOAuthFlowsUserPoolClient: 'cloud',
        AllowedOAuthScopes: 'cloud',
        CallbackURLs: 'cloud',
        ExplicitAuthFlows: 'cloud',
        GenerateSecret: 'cloud',
        LogoutURLs: 'cloud',
        PreventUserExistenceErrors: 'cloud',
        RefreshTokenValidity: 'cloud',
        SupportedIdentityProviders: 'cloud',
        TokenValidityUnits: 'cloud',
        UserPoolId: 'cloud',
      },
    }),
    'AWS::Cognito::UserPoolGroup': resourceType({
      shape: { Description: 'cloud', GroupName: 'cloud', UserPoolId: 'cloud' },
    }),
    'AWS::Cognito::UserPoolDomain': resourceType({ shape: { Domain: 'cloud', UserPoolId: 'cloud' } }),
  },
};
