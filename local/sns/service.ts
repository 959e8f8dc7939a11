/** SNS: topics, and subscriptions of queues and functions. */
import type { Identity } from '../cloudformation/template.ts';
import { compilePattern } from '../eventbridge/event-pattern.ts';
import { lambda } from '../lambda/service.ts';
import { resourceType } from '../machine/machine.ts';
import type { Machine, Service } from '../machine/machine.ts';
import { listed } from '../machine/own-routes.ts';
import { sqs } from '../sqs/service.ts';
import { retryDelayMs } from '../storage/deliveries.ts';
import { createTopics, envelope } from './topics.ts';
import type { Notification, Topics } from './topics.ts';

interface SubscriptionProperties {
  readonly Endpoint: string;
  readonly FilterPolicy?: unknown;
  readonly Protocol: 'sqs' | 'lambda';
  readonly RawMessageDelivery?: boolean;
  readonly TopicArn: string;
}

export const sns: Service<Topics> = {
  open({ data, endpoint, environment, faults, routes }) {
    const topics = createTopics(data.store, faults);
    endpoint.serveForms(topics.service);
    environment['AWS_ENDPOINT_URL_SNS'] = endpoint.url;
    routes.add({
      route: 'GET /local/notifications',
      about: 'the messages that were sent to topics, newest first: ?limit=',
      answer: ({ query }) => listed(query, (limit) => topics.list(limit)),
    });
    return topics;
  },
  types: {
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
      boot(machine, { identity }) {
        machine.use(sns).create(identity.ref);
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
        machine.use(sns).subscribe(properties.TopicArn, {
          arn: identity.ref,
          accepts: policy === undefined ? undefined : compilePattern(policy, logicalId),
          deliver: subscriber(machine, properties, identity.ref, logicalId),
        });
      },
    }),
  },
  cloudOnly: ['AWS::SNS::TopicPolicy'],
};

function subscriber(
  machine: Machine,
  { Endpoint, Protocol, RawMessageDelivery: raw }: SubscriptionProperties,
  arn: string,
  where: string,
): (notification: Notification) => void {
  if (Protocol === 'lambda') {
    const { asyncInvocations, functionOf } = machine.use(lambda);
    const route = asyncInvocations.routeTo(functionOf(Endpoint, where));
    return (notification) => {
      const record = { EventSource: 'aws:sns', EventVersion: '1.0', EventSubscriptionArn: arn };
      machine.data.deliveries.add(route, JSON.stringify({ Records: [{ ...record, Sns: envelope(notification) }] }));
    };
  }
  const { queueOf, sendTo } = machine.use(sqs);
  const queue = queueOf(Endpoint, where);
  const route = machine.data.deliveries.route({
    id: arn,
    concurrency: 10,
    maxRetries: Infinity,
    maxAgeMs: Infinity,
    retryDelayMs,
    deliver(body) {
      const notification = JSON.parse(body) as Notification;
      if (raw) sendTo(queue, notification.message, notification.attributes);
      else sendTo(queue, JSON.stringify(envelope(notification)));
      return Promise.resolve();
    },
    giveUp: () => undefined,
  });
  machine.shutdown.addDraining(() => route.stop());
  return (notification) => {
    machine.data.deliveries.add(arn, JSON.stringify(notification));
  };
}
