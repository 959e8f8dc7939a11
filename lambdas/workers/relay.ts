import type { Context, DynamoDBBatchResponse, DynamoDBRecord, DynamoDBStreamEvent } from 'aws-lambda';
import { openSecret } from '../bank/secret.ts';
import type { KeySource } from '../bank/secret.ts';
import type { Environment } from '../contract.ts';
import type { ServiceEvent } from '../views/event-schemas.ts';
import { openPublisher, publishEvents } from '../events/bus.ts';
import type { Publisher } from '../events/bus.ts';
import { eventBridgeClient, secretsClient, sqsClient } from '../aws/clients.ts';
import { eventOf } from '../events/events.ts';
import type { EventFacts } from '../events/events.ts';
import { openQueue } from '../aws/queue.ts';
import { setRecordAside } from '../aws/set-aside.ts';
import type { SetAside, SetAsideQueue } from '../aws/set-aside.ts';
import { describe, logger } from '../aws/telemetry.ts';
import { changeOf } from '../store/stream.ts';

export interface RelayServices {
  readonly publisher: Publisher;
  readonly setAside: SetAsideQueue;
  readonly fingerprintKey: KeySource;
  /** The issuer whose tokens the stack accepts. */
  readonly issuer: string;
}

/**
 * Publishes changes, at least once. A record that can never become an event is set aside, so that it does not block
 * those behind it. A record that cannot be published now blocks them, so that none is missing.
 *
 * @param deadline epoch ms after which no further try begins
 * @returns the first record to redeliver, with all behind it; undefined when all are published or set aside
 */
export async function relay(
  records: readonly DynamoDBRecord[],
  services: RelayServices,
  deadline: number,
): Promise<DynamoDBRecord | undefined> {
  const [fingerprintKey] = await services.fingerprintKey();
  const facts = { fingerprintKey, issuer: services.issuer };
  const read = records.map((record) => ({ record, ...readRecord(record, facts) }));
  const events = read.flatMap(({ event }) => event ?? []);
  const failures = await publishEvents(services.publisher, events, deadline);
  for (const { record, event, unreadable } of read) {
    const failure = event && failures.get(event);
    if (failure?.definite === false) {
      logger.warn('record not published, so redelivered', {
        sequenceNumber: record.dynamodb?.SequenceNumber,
        code: failure.code,
      });
      return record;
    }
    if (failure === undefined && unreadable === undefined) continue;
    const reason = { code: failure?.code, error: unreadable };
    if (!(await setRecordAside(services.setAside, record, reason))) return record;
  }
  return undefined;
}

function readRecord(
  record: DynamoDBRecord,
  facts: EventFacts,
): { event?: ServiceEvent | undefined; unreadable?: object } {
  try {
    const change = changeOf(record);
    return { event: change && eventOf(change, facts) };
  } catch (error) {
    return { unreadable: describe(error) };
  }
}

/** Time that is left when the last try begins: for that try, and for setting aside. */
const reserveMs = 8_000;

/** Opens the consumer of the table's stream. Its result names the record from which Lambda redelivers. */
export function open(environment: Environment<'relay'>) {
  const services: RelayServices = {
    publisher: openPublisher(eventBridgeClient(), environment.EVENT_BUS_NAME),
    setAside: openQueue<SetAside>(sqsClient(), environment.SET_ASIDE_QUEUE_URL),
    fingerprintKey: openSecret({ client: secretsClient(), secretArn: environment.FINGERPRINT_SECRET_ARN }),
    issuer: environment.TOKEN_ISSUER,
  };
  return async (event: DynamoDBStreamEvent, context: Context): Promise<DynamoDBBatchResponse> => {
    const deadline = Date.now() + context.getRemainingTimeInMillis() - reserveMs;
    const first = await relay(event.Records, services, deadline);
    return {
      batchItemFailures: first === undefined ? [] : [{ itemIdentifier: first.dynamodb?.SequenceNumber ?? '' }],
    };
  };
}
