/** SQS: queues, their endpoint, and sends by other services. */
import { accountId } from '../cloudformation/account.ts';
import { TemplateError } from '../cloudformation/template.ts';
import { resourceType } from '../machine/machine.ts';
import type { Service } from '../machine/machine.ts';
import { ok } from '../machine/own-routes.ts';
import { createQueueService } from './queue-service.ts';
import { openQueues } from './queues.ts';
import type { MessageAttribute, Queue, Queues } from './queues.ts';

export interface Sqs extends Queues {
  /** Throws TemplateError when the ARN is not that of a queue of the template. */
  readonly queueOf: (arn: string, where: string) => Queue;
  /** Sends as an AWS service does. Throws while SQS is switched off, and for a message that is too long for the queue. */
  readonly sendTo: (queue: Queue, body: string, attributes?: Record<string, MessageAttribute>) => void;
}

interface QueueProperties {
  readonly DelaySeconds?: number;
  readonly MaximumMessageSize?: number;
  readonly MessageRetentionPeriod?: number;
  readonly ReceiveMessageWaitTimeSeconds?: number;
  readonly RedrivePolicy?: { readonly deadLetterTargetArn: string; readonly maxReceiveCount: number };
  readonly VisibilityTimeout?: number;
}

const urlOf = (servicesUrl: string, name: string): string => `${servicesUrl}/${accountId}/${name}`;

export const sqs: Service<Sqs> = {
  open({ data, endpoint, environment, faults, routes, shutdown }) {
    const queues = openQueues(data.path('queues.sqlite'));
    shutdown.add(() => {
      queues.close();
    });
    const answer = createQueueService(queues, (name) => urlOf(endpoint.url, name));
    endpoint.serve('AmazonSQS', faults.guard('sqs', answer));
    environment['AWS_ENDPOINT_URL_SQS'] = endpoint.url;
    routes.add({
      route: 'GET /local/queues',
      about: "the queues: their messages, and the age of the oldest as in SQS's metric",
      answer: () =>
        ok({
          items: queues.list().map((queue) => ({
            name: queue.settings.name,
            ...queue.counts(),
            oldestAgeSeconds: Math.floor(queue.oldestAgeMs() / 1000),
          })),
        }),
    });
    return {
      ...queues,
      queueOf(arn, where) {
        const queue = queues.byArn(arn);
        if (!queue) throw new TemplateError(`${where}: ${arn} is not a queue of this template`);
        return queue;
      },
      sendTo(queue, body, attributes = {}) {
        faults.check('sqs');
        const { maximumBytes } = queue.settings;
        if (Buffer.byteLength(body) > maximumBytes) throw new Error('the message is too long for the queue');
        queue.send(body, { attributes });
      },
    };
  },
  types: {
    'AWS::SQS::Queue': resourceType<QueueProperties>({
      shape: {
        DelaySeconds: true,
        KmsMasterKeyId: 'cloud',
        MaximumMessageSize: true,
        MessageRetentionPeriod: true,
        ReceiveMessageWaitTimeSeconds: true,
        RedrivePolicy: { deadLetterTargetArn: true, maxReceiveCount: true },
        SqsManagedSseEnabled: 'cloud',
        Tags: 'cloud',
        VisibilityTimeout: true,
      },
      identify(logicalId, { name, arn, servicesUrl }) {
        const queueName = name(logicalId).slice(-80);
        return {
          ref: urlOf(servicesUrl, queueName),
          attributes: { Arn: arn('sqs', queueName), QueueName: queueName },
        };
      },
      boot(machine, { identity, properties }) {
        const { RedrivePolicy: redrive } = properties;
        machine.use(sqs).create({
          name: identity.attributes['QueueName'] ?? '',
          arn: identity.attributes['Arn'] ?? '',
          visibilityTimeoutSeconds: properties.VisibilityTimeout ?? 30,
          delaySeconds: properties.DelaySeconds ?? 0,
          waitSeconds: properties.ReceiveMessageWaitTimeSeconds ?? 0,
          retentionSeconds: properties.MessageRetentionPeriod ?? 345_600,
          maximumBytes: properties.MaximumMessageSize ?? 1_048_576,
          redrive: redrive && { arn: redrive.deadLetterTargetArn, maxReceiveCount: redrive.maxReceiveCount },
        });
      },
    }),
  },
  cloudOnly: ['AWS::SQS::QueuePolicy'],
};
