/** The resource types of EventBridge and SNS. */
import { accountId, region } from '../cloudformation/account.ts';
import { TemplateError } from '../cloudformation/template.ts';
import type { Identity } from '../cloudformation/template.ts';
import { busName } from '../eventbridge/event-buses.ts';
import { compilePattern } from '../eventbridge/event-pattern.ts';
import { intervalOf, startSchedule } from '../eventbridge/schedules.ts';
import { compileInput } from '../eventbridge/target-input.ts';
import type { TargetInput } from '../eventbridge/target-input.ts';
import { envelope } from '../sns/topics.ts';
import type { Notification } from '../sns/topics.ts';
import type { MessageAttribute } from '../sqs/queues.ts';
import type { Route } from '../storage/deliveries.ts';
import { functionOf, queueOf, resourceType, send } from './machine.ts';
import type { Machine, ResourceType } from './machine.ts';

interface RuleTarget extends TargetInput {
  readonly Arn: string;
  readonly Id: string;
  readonly DeadLetterConfig?: { readonly Arn: string };
  readonly RetryPolicy?: { readonly MaximumEventAgeInSeconds?: number; readonly MaximumRetryAttempts?: number };
}

interface RuleProperties {
  readonly EventBusName?: string;
  readonly EventPattern?: unknown;
  readonly ScheduleExpression?: string;
  readonly State?: string;
  readonly Targets?: readonly RuleTarget[];
}

interface SubscriptionProperties {
  readonly Endpoint: string;
  readonly FilterPolicy?: unknown;
  readonly Protocol: 'sqs' | 'lambda';
  readonly RawMessageDelivery?: boolean;
  readonly TopicArn: string;
}

const defaultRetries = 185;
const defaultAgeSeconds = 86_400;
const longestRetryMs = 5_000;

export const eventTypes: Record<string, ResourceType> = {
  'AWS::Events::EventBus': resourceType({
    shape: {
      DeadLetterConfig: 'cloud',
      Description: 'cloud',
      KmsKeyIdentifier: 'cloud',
      LogConfig: 'cloud',
      Name: 'cloud',
      Tags: 'cloud',
    },
    identify: (logicalId, { name, arn }) => ({
      ref: name(logicalId),
      attributes: { Arn: arn('events', `event-bus/${name(logicalId)}`), Name: name(logicalId) },
    }),
    boot({ buses }, { identity }) {
      buses.addBus(identity.ref);
    },
  }),
  'AWS::Events::Archive': resourceType<{ EventPattern?: unknown; SourceArn: string }>({
    // Events are kept here until the data is removed, whatever the retention is.
    shape: {
      ArchiveName: 'cloud',
      Description: 'cloud',
      EventPattern: true,
      KmsKeyIdentifier: 'cloud',
      RetentionDays: 'cloud',
      SourceArn: true,
    },
    identify: (logicalId, { name, arn }) => ({
      ref: name(logicalId),
      attributes: { Arn: arn('events', `archive/${name(logicalId)}`), ArchiveName: name(logicalId) },
    }),
    boot({ buses }, { logicalId, properties: { EventPattern: pattern, SourceArn } }) {
      const matches = pattern === undefined ? () => true : compilePattern(pattern, logicalId);
      buses.addArchive({ bus: busName(SourceArn), matches });
    },
  }),
  'AWS::SNS::Topic': resourceType({
    shape: {
      DisplayName: 'cloud',
      KmsMasterKeyId: 'cloud',
      SignatureVersion: 'cloud',
      Tags: 'cloud',
      TopicName: 'cloud',
      TracingConfig: 'cloud',
    },
    identify(logicalId, { name, arn }): Identity {
      const topicArn = arn('sns', name(logicalId));
      return { ref: topicArn, attributes: { TopicArn: topicArn, TopicName: name(logicalId) } };
    },
    boot({ topics }, { identity }) {
      topics.create(identity.ref);
    },
  }),
  'AWS::SNS::Subscription': resourceType<SubscriptionProperties>({
    shape: {
      Endpoint: true,
      FilterPolicy: true,
      FilterPolicyScope: { only: ['MessageAttributes'] },
      Protocol: { only: ['sqs', 'lambda'] },
      RawMessageDelivery: true,
      Region: 'cloud',
      TopicArn: true,
    },
    identify: (logicalId, { arn }) => ({ ref: arn('sns', `subscription:${logicalId}`), attributes: {} }),
    boot(machine, { logicalId, identity, properties }) {
      const { FilterPolicy: policy } = properties;
      machine.topics.subscribe(properties.TopicArn, {
        arn: identity.ref,
        accepts: policy === undefined ? undefined : compilePattern(policy, logicalId),
        deliver: subscriber(machine, properties, identity.ref, logicalId),
      });
    },
  }),
  'AWS::Events::Rule': resourceType<RuleProperties>({
    shape: {
      Description: 'cloud',
      EventBusName: true,
      EventPattern: true,
      Name: 'cloud',
      RoleArn: 'cloud',
      ScheduleExpression: true,
      State: { only: ['ENABLED', 'DISABLED'] },
      Targets: [
        {
          Arn: true,
          DeadLetterConfig: { Arn: true },
          Id: true,
          Input: true,
          InputPath: true,
          InputTransformer: { InputPathsMap: true, InputTemplate: true },
          RetryPolicy: { MaximumEventAgeInSeconds: true, MaximumRetryAttempts: true },
          RoleArn: 'cloud',
        },
      ],
    },
    identify: (logicalId, { name, arn }) => ({
      ref: name(logicalId),
      attributes: { Arn: arn('events', `rule/${name(logicalId)}`) },
    }),
    boot(machine, { logicalId, identity, properties }) {
      if (properties.State === 'DISABLED') return;
      const { ScheduleExpression: schedule, EventPattern: pattern, Targets: targets = [] } = properties;
      const ruleArn = identity.attributes['Arn'] ?? '';
      if (schedule !== undefined) {
        const intervalMs = intervalOf(schedule, logicalId);
        for (const { Arn, Input, InputPath, InputTransformer } of targets) {
          if (InputPath !== undefined || InputTransformer) {
            throw new TemplateError(`${logicalId}: a scheduled event that is not passed as it is is not supported`);
          }
          const target = functionOf(machine, Arn, logicalId);
          machine.onStop(startSchedule({ ruleArn, intervalMs, target, input: Input, accountId, region }));
        }
      }
      if (pattern === undefined) return;
      const rule = { arn: ruleArn, name: identity.ref };
      machine.buses.addRule({
        bus: busName(properties.EventBusName),
        matches: compilePattern(pattern, logicalId),
        targets: targets.map((target) => ({
          routeId: routeToTarget(machine, target, ruleArn, logicalId),
          bodyOf: compileInput(target, rule, logicalId),
        })),
      });
    },
  }),
};

/** The route of a rule's target: a function, a queue or a delivery stream. Throws TemplateError for anything else. */
function routeToTarget(machine: Machine, target: RuleTarget, ruleArn: string, where: string): string {
  const called = machine.functions.byArn(target.Arn);
  // Lambda takes an event at once, and then tries the function by its own rules.
  if (called) return machine.asyncInvocations.routeTo(called);
  const queue = machine.queues.byArn(target.Arn);
  const stream = machine.deliveryStreams.get(target.Arn);
  if (!queue && !stream) {
    throw new TemplateError(
      `${where}: target ${target.Arn} is not a function, queue or delivery stream of this template`,
    );
  }
  const deadLetters = target.DeadLetterConfig && queueOf(machine, target.DeadLetterConfig.Arn, where);
  const id = `${ruleArn} ${target.Id}`;
  const route: Route = {
    id,
    concurrency: 10,
    maxRetries: target.RetryPolicy?.MaximumRetryAttempts ?? defaultRetries,
    maxAgeMs: 1000 * (target.RetryPolicy?.MaximumEventAgeInSeconds ?? defaultAgeSeconds),
    retryDelayMs,
    deliver(body) {
      if (queue) send(machine, queue, body);
      else stream?.put(body);
      return Promise.resolve();
    },
    giveUp(body, { error, attempts, condition }) {
      if (!deadLetters) return;
      const text = (StringValue: string): MessageAttribute => ({ DataType: 'String', StringValue });
      send(machine, deadLetters, body, {
        RULE_ARN: text(ruleArn),
        TARGET_ARN: text(target.Arn),
        ERROR_CODE: text('SERVICE_UNAVAILABLE'),
        ERROR_MESSAGE: text(error instanceof Error ? error.message : String(error)),
        EXHAUSTED_RETRY_CONDITION: text(condition),
        RETRY_ATTEMPTS: text(String(attempts - 1)),
      });
    },
  };
  machine.onStop(machine.deliveries.route(route));
  return id;
}

function subscriber(
  machine: Machine,
  { Endpoint, Protocol, RawMessageDelivery: raw }: SubscriptionProperties,
  arn: string,
  where: string,
): (notification: Notification) => void {
  if (Protocol === 'lambda') {
    const route = machine.asyncInvocations.routeTo(functionOf(machine, Endpoint, where));
    return (notification) => {
      const record = { EventSource: 'aws:sns', EventVersion: '1.0', EventSubscriptionArn: arn };
      machine.deliveries.add(route, JSON.stringify({ Records: [{ ...record, Sns: envelope(notification) }] }));
    };
  }
  const queue = queueOf(machine, Endpoint, where);
  const route = machine.deliveries.route({
    id: arn,
    concurrency: 10,
    maxRetries: Infinity,
    maxAgeMs: Infinity,
    retryDelayMs,
    deliver(body) {
      const notification = JSON.parse(body) as Notification;
      if (raw) send(machine, queue, notification.message, notification.attributes);
      else send(machine, queue, JSON.stringify(envelope(notification)));
      return Promise.resolve();
    },
    giveUp: () => undefined,
  });
  machine.onStop(route);
  return (notification) => {
    machine.deliveries.add(arn, JSON.stringify(notification));
  };
}

const retryDelayMs = (retry: number): number => Math.min(100 * 2 ** (retry - 1), longestRetryMs);
