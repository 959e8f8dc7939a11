/** The AWS services that functions call over HTTP on this machine, apart from DynamoDB. */
import { createEventBuses, type EventBuses } from './event-buses.ts';
import { createFaults, type Faults } from './faults.ts';
import { accountId } from './machine.ts';
import { createQueueService } from './queue-service.ts';
import type { RunnerData } from './runner-data.ts';
import { openSecrets, type Secrets } from './secrets.ts';
import { serveServices } from './services.ts';
import type { Shutdown } from './shutdown.ts';
import { createTopics, type Topics } from './topics.ts';

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
