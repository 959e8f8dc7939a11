import { Stack, Tags } from 'aws-cdk-lib';
import { CfnBudget } from 'aws-cdk-lib/aws-budgets';
import { PolicyStatement, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import type { ITopic } from 'aws-cdk-lib/aws-sns';
import { Construct } from 'constructs';
import { serviceNameOf } from './service-name.ts';

/** The dollars that the service may cost in a month, and the people who hear of more. */
export interface MonthlyBudget {
  readonly dollars: number;

  /**
   * Addresses that get the warnings by e-mail, ten at most.
   *
   * @default - none: the warnings go to the topic for warnings
   */
  readonly emails?: readonly string[];
}

/** The tag of everything that costs. Its value is the name of the service. Activate it for cost allocation in Billing. */
const costTag = 'wallet-service';

/** Most subscribers by e-mail that AWS Budgets takes for one notification. */
const mostEmails = 10;

/** Properties of `ServiceBudget`. */
export interface ServiceBudgetProps {
  readonly budget: MonthlyBudget;
  /** The topic for warnings; undefined: there is none. */
  readonly topic: ITopic | undefined;
}

/** A budget for all that has the tag of the service: it warns at 80 % spent, and when the month will exceed it. */
export class ServiceBudget extends Construct {
  constructor(service: Construct, id: string, { budget, topic }: ServiceBudgetProps) {
    super(service, id);
    const { dollars, emails = [] } = budget;
    const name = serviceNameOf(service);
    Tags.of(service).add(costTag, name);
    const subscribers = [
      ...(topic ? [{ subscriptionType: 'SNS', address: topic.topicArn }] : []),
      ...emails.map((address) => ({ subscriptionType: 'EMAIL', address })),
    ];
    const warning = (notificationType: 'ACTUAL' | 'FORECASTED', threshold: number) => ({
      notification: {
        notificationType,
        comparisonOperator: 'GREATER_THAN',
        threshold,
        thresholdType: 'PERCENTAGE',
      },
      subscribers,
    });
    if (topic) allowWarnings(this, topic);
    new CfnBudget(this, 'Budget', {
      budget: {
        // Budgets belong to the account, and services of two regions may have the same name.
        budgetName: `${name}-${Stack.of(this).region}`,
        budgetType: 'COST',
        timeUnit: 'MONTHLY',
        budgetLimit: { amount: dollars, unit: 'USD' },
        costFilters: { TagKeyValue: [`user:${costTag}$${name}`] },
      },
      notificationsWithSubscribers: [warning('ACTUAL', 80), warning('FORECASTED', 100)],
    });
  }
}

/**
 * Lets AWS Budgets publish to a topic of this app. The first statement of a topic replaces the policy that SNS gives it, by
 * which CloudWatch publishes alarms. So CloudWatch is let in, too.
 */
function allowWarnings(scope: Construct, topic: ITopic): void {
  topic.addToResourcePolicy(
    new PolicyStatement({
      principals: ['budgets.amazonaws.com', 'cloudwatch.amazonaws.com'].map((name) => new ServicePrincipal(name)),
      actions: ['sns:Publish'],
      resources: [topic.topicArn],
      conditions: { StringEquals: { 'aws:SourceAccount': Stack.of(scope).account } },
    }),
  );
}

/**
 * Throws for a budget that AWS would refuse, and for one that no person would hear of.
 *
 * @param hasTopic whether there is a topic for warnings
 */
export function checkBudget({ dollars, emails = [] }: MonthlyBudget, hasTopic: boolean): void {
  if (!(Number.isFinite(dollars) && dollars > 0)) {
    throw new Error(`monthlyBudget.dollars must be a number above 0, received ${String(dollars)}`);
  }
  for (const email of emails) {
    if (/^[^\s@]+@[^\s@]+$/.test(email)) continue;
    throw new Error(`monthlyBudget.emails must be e-mail addresses, received "${email}"`);
  }
  if (emails.length > mostEmails) {
    throw new Error(`monthlyBudget.emails must be at most ${mostEmails} addresses, received ${emails.length}`);
  }
  if (emails.length === 0 && !hasTopic) {
    throw new Error('monthlyBudget needs monthlyBudget.emails, warningTopic or alarmTopic, received none of them');
  }
}
