import { CfnParameter, Stack } from 'aws-cdk-lib';
import type { IAspect } from 'aws-cdk-lib';
import { CfnAlarm, CfnCompositeAlarm, CfnDashboard } from 'aws-cdk-lib/aws-cloudwatch';
import { CfnArchive } from 'aws-cdk-lib/aws-events';
import { CfnFunction } from 'aws-cdk-lib/aws-lambda';
import { CfnQueryDefinition } from 'aws-cdk-lib/aws-logs';
import { CfnWebACLAssociation } from 'aws-cdk-lib/aws-wafv2';
import type { IConstruct } from 'constructs';

/**
 * Takes out of a stack what an emulator of AWS cannot create: the archive of events, alarms on metric math and on other
 * alarms, the dashboard that shows them, saved queries of logs, and the web ACL's place in front of the API. Nothing that
 * moves money is left out. Not for an AWS account.
 */
export class EmulatorGaps implements IAspect {
  readonly #bankHost: string | undefined;

  /**
   * @param bankHost a name under which functions find the bank's machine, and may call it by http; undefined allows only
   *   the machine that they run on
   */
  constructor(bankHost?: string) {
    if (bankHost !== undefined && !/^[a-z0-9.-]+$/i.test(bankHost)) {
      throw new Error(`the bank's host must be a name without port, received "${bankHost}"`);
    }
    this.#bankHost = bankHost;
  }

  visit(node: IConstruct): void {
    if (isGap(node)) node.node.scope?.node.tryRemoveChild(node.node.id);
    if (this.#bankHost === undefined) return;
    if (node instanceof CfnFunction && callsBank(node)) {
      node.addPropertyOverride('Environment.Variables.BANK_PLAIN_HOST', this.#bankHost);
    }
    if (node instanceof CfnParameter && node.node.id === 'BankUrl') {
      const host = this.#bankHost.replaceAll('.', String.raw`\.`);
      node.allowedPattern = String.raw`${String(node.allowedPattern)}|http://${host}(:\d+)?(/[^\s?#]*)?`;
    }
  }
}

function isGap(node: IConstruct): boolean {
  return (
    node instanceof CfnArchive ||
    node instanceof CfnCompositeAlarm ||
    node instanceof CfnDashboard ||
    node instanceof CfnQueryDefinition ||
    node instanceof CfnWebACLAssociation ||
    (node instanceof CfnAlarm && node.metrics !== undefined)
  );
}

function callsBank(resource: CfnFunction): boolean {
  const { variables = {} } = (Stack.of(resource).resolve(resource.environment) ?? {}) as { variables?: object };
  return 'BANK_URL' in variables;
}
