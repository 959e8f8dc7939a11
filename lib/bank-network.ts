import type { ISecurityGroup, IVpc, SubnetSelection } from 'aws-cdk-lib/aws-ec2';
import { SubnetType } from 'aws-cdk-lib/aws-ec2';
import { Effect, PolicyStatement } from 'aws-cdk-lib/aws-iam';
import type { FunctionOptions } from 'aws-cdk-lib/aws-lambda';

/** The network that the calls to the bank leave from, so that the bank sees one fixed address: that of its NAT gateway. */
export interface BankNetwork {
  readonly vpc: IVpc;

  /**
   * The subnets. AWS's own services must be reachable from them, through the NAT gateway or endpoints: DynamoDB, SQS,
   * Secrets Manager and EventBridge.
   *
   * @default - the private subnets with a route to a NAT gateway
   */
  readonly subnets?: SubnetSelection;

  /**
   * The security groups. They must let HTTPS out, and need to let nothing in.
   *
   * @default - a group for each function, which lets everything out and nothing in
   */
  readonly securityGroups?: ISecurityGroup[];
}

/** Returns the properties of a function in the network. */
export function placeIn({ vpc, subnets, securityGroups }: BankNetwork): FunctionOptions {
  if (securityGroups?.length === 0) throw new Error('bank.network.securityGroups must have a group, received none');
  return {
    vpc,
    vpcSubnets: subnets ?? { subnetType: SubnetType.PRIVATE_WITH_EGRESS },
    ...(securityGroups && { securityGroups }),
  };
}

const interfaceActions = [
  'ec2:CreateNetworkInterface',
  'ec2:DescribeNetworkInterfaces',
  'ec2:DescribeSubnets',
  'ec2:DeleteNetworkInterface',
  'ec2:AssignPrivateIpAddresses',
  'ec2:UnassignPrivateIpAddresses',
];

/**
 * Returns the statements that let Lambda make network interfaces with the role of a function, and not the function's own
 * code. The condition's key is only present in calls of the code.
 */
export function interfaceStatements(): PolicyStatement[] {
  return [
    new PolicyStatement({ effect: Effect.ALLOW, actions: interfaceActions, resources: ['*'] }),
    new PolicyStatement({
      effect: Effect.DENY,
      actions: interfaceActions,
      resources: ['*'],
      conditions: { Null: { 'lambda:SourceFunctionArn': 'false' } },
    }),
  ];
}
