/** The AWS services that functions call over HTTP on this machine, apart from DynamoDB. */
import { accountId } from '../cloudformation/account.ts';
import { createFaults } from '../endpoint/faults.ts';
import type { Faults } from '../endpoint/faults.ts';
import { serveServices } from '../endpoint/services.ts';
import { createEventBuses } from '../eventbridge/event-buses.ts';
import type { EventBuses } from '../eventbridge/event-buses.ts';
import type { Shutdown } from '../process/shutdown.ts';
import { openSecrets } from '../secrets-manager/secrets.ts';
import type { Secrets } from '../secrets-manager/secrets.ts';
import { createTopics } from '../sns/topics.ts';
import type { Topics } from '../sns/topics.ts';
import { createQueueService } from '../sqs/queue-service.ts';
import type { RunnerData } from './runner-data.ts';

export interface RunnerServices {
  /** The endpoint of all of them. */
  readonly url: string;
  readonly queueUrl: (name: string) => string;
  readonly faults: Faults;
  readonly secrets: Secrets;
  readonly buses: EventBuses;
  readonly topics: Topics;
}

export async function startServices(data: RunnerData, shutdown: Shutdown): Promise<RunnerServices> {
  const { store, deliveries, queues } = data;
  const faults = createFaults();
  const secrets = openSecrets(data.path('secrets.json'));
  const buses = createEventBuses(store, deliveries, faults);
  const topics = createTopics(store, faults);
  const queueUrl = (name: string): string => `${url}/${accountId}/${name}`;
  const { server, url } = await serveServices(
    {
      AmazonSQS: faults.guard('sqs', createQueueService(queues, queueUrl)),
      AWSEvents: buses.service,
      secretsmanager: secrets.service,
    },
    topics.service,
  );
  shutdown.add(() => {
    server.close();
    server.closeAllConnections();
  });
  return { url, queueUrl, faults, secrets, buses, topics };
}
