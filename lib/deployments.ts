import { Duration, Validations } from 'aws-cdk-lib';
import { Alarm, Stats, TreatMissingData } from 'aws-cdk-lib/aws-cloudwatch';
import { LambdaApplication, LambdaDeploymentGroup } from 'aws-cdk-lib/aws-codedeploy';
import type { ILambdaDeploymentConfig } from 'aws-cdk-lib/aws-codedeploy';
import { Role, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import { Construct } from 'constructs';
import type { FunctionName, PerFunction } from '../lambdas/contract.ts';
import { serviceNameOf } from './service-name.ts';
import type { WalletFunction } from './wallet-function.ts';

/**
 * How a new version of a function gets its traffic: at once, or as CodeDeploy shifts it, for example
 * `LambdaDeploymentConfig.CANARY_10PERCENT_5MINUTES`. With `'all-at-once'` functions have neither alias nor CodeDeploy;
 * `LambdaDeploymentConfig.ALL_AT_ONCE` moves an alias at once, and an alarm still rolls it back.
 */
export type DeploymentStrategy = 'all-at-once' | ILambdaDeploymentConfig;

/** CodeDeploy watches no more for a function. */
const mostAlarms = 10;

/** Properties of `Deployments`. */
export interface DeploymentsProps {
  readonly strategy: ILambdaDeploymentConfig;
  readonly functions: PerFunction<Pick<WalletFunction<FunctionName>, 'handler' | 'alias'>>;
  /** Alarms that stop each deployment and roll it back. */
  readonly alarms: readonly Alarm[];
}

/** The gradual shift of each function's traffic to a new version, and the way back while an alarm lasts. */
export class Deployments extends Construct {
  constructor(scope: Construct, id: string, { strategy, functions, alarms }: DeploymentsProps) {
    super(scope, id);
    if (alarms.length >= mostAlarms) throw new Error(`CodeDeploy watches ${mostAlarms} alarms, and there are more`);
    const application = new LambdaApplication(this, 'Application');
    const role = new Role(this, 'Role', { assumedBy: new ServicePrincipal('codedeploy.amazonaws.com') });
    Validations.of(role).acknowledge({
      id: 'AwsSolutions-IAM4[Policy::arn:<AWS::Partition>:iam::aws:policy/service-role/AWSCodeDeployRoleForLambdaLimited]',
      reason: 'It is the smallest policy that AWS has for CodeDeploy, which moves aliases and reads alarms.',
    });
    for (const [name, { handler, alias }] of Object.entries(functions)) {
      if (alias === undefined) continue;
      const errors = new Alarm(this, `${name}-errors`, {
        alarmName: `${serviceNameOf(this)} deployment: ${name} fails`,
        alarmDescription: `Rolls back a deployment of ${name}. It calls no operator, and means nothing between deployments.`,
        metric: handler.metricErrors({ statistic: Stats.SUM, period: Duration.minutes(1) }),
        threshold: 1,
        // One failure may be a machine that died. A new version has few calls in a minute.
        evaluationPeriods: 5,
        datapointsToAlarm: 2,
        treatMissingData: TreatMissingData.NOT_BREACHING,
      });
      new LambdaDeploymentGroup(this, name, {
        application,
        role,
        alias,
        deploymentConfig: strategy,
        alarms: [...alarms, errors],
      });
    }
  }
}
