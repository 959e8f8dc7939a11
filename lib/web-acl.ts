import { CfnWebACL, CfnWebACLAssociation } from 'aws-cdk-lib/aws-wafv2';
import { Construct } from 'constructs';

/** The choice of a web ACL: one of the service's own, none, or an existing one by its ARN. */
export type WebAcl = boolean | string;

const windowSeconds = 300;

/** Properties of `ApiWebAcl`. */
export interface ApiWebAclProps {
  /** ARN of an existing web ACL; undefined makes one. */
  readonly arn: string | undefined;
  /** ARN of the stage that the web ACL protects. */
  readonly stageArn: string;
  /** Limit for the requests of all callers together. */
  readonly requestsPerSecond: number;
}

/** The web ACL of the API. It blocks addresses that send too many requests, before any of them costs an invocation. */
export class ApiWebAcl extends Construct {
  constructor(scope: Construct, id: string, { arn, stageArn, requestsPerSecond }: ApiWebAclProps) {
    super(scope, id);
    new CfnWebACLAssociation(this, 'Association', {
      resourceArn: stageArn,
      webAclArn: arn ?? this.#newWebAcl(requestsPerSecond).attrArn,
    });
  }

  #newWebAcl(requestsPerSecond: number): CfnWebACL {
    const visibility = (metricName: string) => ({
      cloudWatchMetricsEnabled: true,
      sampledRequestsEnabled: false,
      metricName,
    });
    return new CfnWebACL(this, 'WebAcl', {
      description: 'Wallet service: addresses that send too many requests are blocked for a while',
      scope: 'REGIONAL',
      defaultAction: { allow: {} },
      visibilityConfig: visibility('WalletApi'),
      rules: [
        {
          name: 'RequestsPerAddress',
          priority: 0,
          action: { block: {} },
          statement: {
            rateBasedStatement: {
              aggregateKeyType: 'IP',
              evaluationWindowSec: windowSeconds,
              // One address cannot take more than half of the API's limit. AWS WAF accepts no limit below ten.
              limit: Math.max(10, Math.floor((requestsPerSecond * windowSeconds) / 2)),
            },
          },
          visibilityConfig: visibility('RequestsPerAddress'),
        },
      ],
    });
  }
}
