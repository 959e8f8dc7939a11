import { AwsIntegration } from 'aws-cdk-lib/aws-apigateway';
import { PolicyDocument, PolicyStatement, Role, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import type { IFunction } from 'aws-cdk-lib/aws-lambda';
import type { Construct } from 'constructs';
import { aliasName } from './wallet-function.ts';

/**
 * The role with which the API invokes the functions of its routes. `LambdaIntegration` would make a permission for each
 * route, and a stack has room for 500 resources.
 *
 * It permits each function and its alias, whether there is one or not. An update changes the role before the deployment
 * of the API, so the former deployment must still invoke what it did.
 *
 * Its trust has no condition on `aws:SourceArn`: AWS does not document that the gateway sends it when it takes the role of an
 * integration, and without it each request would fail. An API of another account cannot have the role, as `iam:PassRole` is
 * for roles of one's own account.
 */
export class ApiRole extends Role {
  constructor(scope: Construct, id: string, functions: readonly IFunction[]) {
    super(scope, id, {
      assumedBy: new ServicePrincipal('apigateway.amazonaws.com'),
      inlinePolicies: {
        Permissions: new PolicyDocument({
          statements: [
            new PolicyStatement({
              actions: ['lambda:InvokeFunction'],
              resources: functions.flatMap(({ functionArn }) => [functionArn, `${functionArn}:${aliasName}`]),
            }),
          ],
        }),
      },
    });
  }

  /** Returns the integration of a route: the gateway hands each request to the function or alias. */
  integrationWith({ functionArn }: IFunction): AwsIntegration {
    const path = `2015-03-31/functions/${functionArn}/invocations`;
    return new AwsIntegration({ proxy: true, service: 'lambda', path, options: { credentialsRole: this } });
  }
}
