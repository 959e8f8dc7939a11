/** EventBridge: buses, their archives, and rules that send events to functions, queues and delivery streams. */
import { accountId, region } from '../cloudformation/account.ts';
import { TemplateError } from '../cloudformation/template.ts';
import { firehose } from '../firehose/service.ts';
import { lambda } from '../lambda/service.ts';
import { resourceType } from '../machine/machine.ts';
import type { Machine, Service } from '../machine/machine.ts';
import { listed, ok } from '../machine/own-routes.ts';
import type { MessageAttribute } from '../sqs/queues.ts';
import { sqs } from '../sqs/service.ts';
import type { Route } from '../storage/deliveries.ts';
import { retryDelayMs } from '../storage/deliveries.ts';
import { busName, createEventBuses } from './event-buses.ts';
import type { EventBuses } from './event-buses.ts';
import { compilePattern } from './event-pattern.ts';
import { intervalOf, startSchedule } from './schedules.ts';
import type { RunningSchedule } from './schedules.ts';
import { compileInput } from './target-input.ts';
import type { TargetInput } from './target-input.ts';

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

const defaultRetries = 185;
const defaultAgeSeconds = 86_400;

interface EventBridge extends EventBuses {
  readonly schedules: RunningSchedule[];
}

export const eventBridge: Service<EventBridge> = {
  open({ data, endpoint, environment, faults, routes }) {
    const buses = createEventBuses(data.store, data.deliveries, faults);
    const schedules: RunningSchedule[] = [];
    endpoint.serve('AWSEvents', buses.service);
    environment['AWS_ENDPOINT_URL_EVENTBRIDGE'] = endpoint.url;
    routes.add(
      {
        route: 'GET /local/events',
        about: 'the published events, newest first: ?limit= and ?type=',
        answer: ({ query }) => listed(query, (limit) => buses.list({ limit, type: query.get('type') ?? undefined })),
      },
      {
        route: 'POST /local/schedules',
        about: 'calls the functions that have a schedule now, such as the check of the books, and waits for them',
        async answer() {
          await Promise.all(schedules.map((schedule) => schedule.call()));
          return ok({ called: schedules.length });
        },
      },
    );
    return { ...buses, schedules };
  },
  types: {
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
      boot(machine, { identity }) {
        machine.use(eventBridge).addBus(identity.ref);
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
      boot(machine, { logicalId, properties: { EventPattern: pattern, SourceArn } }) {
        const matches = pattern === undefined ? () => true : compilePattern(pattern, logicalId);
        machine.use(eventBridge).addArchive({ bus: busName(SourceArn), matches });
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
            const target = machine.use(lambda).functionOf(Arn, logicalId);
            const running = startSchedule({ ruleArn, intervalMs, target, input: Input, accountId, region });
            machine.use(eventBridge).schedules.push(running);
            machine.shutdown.addDraining(() => running.stop());
          }
        }
        if (pattern === undefined) return;
        const rule = { arn: ruleArn, name: identity.ref };
        machine.use(eventBridge).addRule({
          bus: busName(properties.EventBusName),
          matches: compilePattern(pattern, logicalId),
          targets: targets.map((target) => ({
            routeId: routeToTarget(machine, target, ruleArn, logicalId),
            bodyOf: compileInput(target, rule, logicalId),
          })),
        });
      },
    }),
  },
};

/** Returns the route of a rule's target: function, queue or delivery stream. Throws TemplateError for any other. */
function routeToTarget(machine: Machine, target: RuleTarget, ruleArn: string, where: string): string {
  const { asyncInvocations, byArn } = machine.use(lambda);
  const called = byArn(target.Arn);
  // Lambda takes an event at once, and then tries the function by its own rules.
  if (called) return asyncInvocations.routeTo(called);
  const queues = machine.use(sqs);
  const queue = queues.byArn(target.Arn);
  const stream = machine.use(firehose).get(target.Arn);
  if (!queue && !stream) {
    throw new TemplateError(
      `${where}: target ${target.Arn} is not a function, queue or delivery stream of this template`,
    );
  }
  const deadLetters = target.DeadLetterConfig && queues.queueOf(target.DeadLetterConfig.Arn, where);
  const id = `${ruleArn} ${target.Id}`;
  const route: Route = {
    id,
    concurrency: 10,
    maxRetries: target.RetryPolicy?.MaximumRetryAttempts ?? defaultRetries,
    maxAgeMs: 1000 * (target.RetryPolicy?.MaximumEventAgeInSeconds ?? defaultAgeSeconds),
    retryDelayMs,
    deliver(body) {
      if (queue) queues.sendTo(queue, body);
      else stream?.put(body);
      return Promise.resolve();
    },
    giveUp(body, { error, attempts, condition }) {
      if (!deadLetters) return;
      const text = (StringValue: string): MessageAttribute => ({ DataType: 'String', StringValue });
      queues.sendTo(deadLetters, body, {
        RULE_ARN: text(ruleArn),
        TARGET_ARN: text(target.Arn),
        ERROR_CODE: text('SERVICE_UNAVAILABLE'),
        ERROR_MESSAGE: text(error instanceof Error ? error.message : String(error)),
        EXHAUSTED_RETRY_CONDITION: text(condition),
        RETRY_ATTEMPTS: text(String(attempts - 1)),
      });
    },
  };
  const running = machine.data.deliveries.route(route);
  machine.shutdown.addDraining(() => running.stop());
  return id;
}
