const { AWS_ENDPOINT_URL_EVENTBRIDGE, BUS_NAME } = process.env;

// Publishes an event for each record; one with the attribute `poison` fails, and all that come after it.
export async function relay({ Records }) {
  for (const { eventName, dynamodb } of Records) {
    const { Keys, NewImage, SequenceNumber } = dynamodb;
    if (NewImage?.poison) return { batchItemFailures: [{ itemIdentifier: SequenceNumber }] };
    const published = await publish(`thing.${eventName.toLowerCase()}`, { id: Keys.pk.S, n: Number(NewImage?.n?.N) });
    if (!published) return { batchItemFailures: [{ itemIdentifier: SequenceNumber }] };
  }
  return { batchItemFailures: [] };
}

async function publish(DetailType, detail) {
  const entry = { EventBusName: BUS_NAME, Source: 'things', DetailType, Detail: JSON.stringify(detail) };
  const answer = await globalThis.fetch(AWS_ENDPOINT_URL_EVENTBRIDGE, {
    method: 'POST',
    headers: { 'content-type': 'application/x-amz-json-1.1', 'x-amz-target': 'AWSEvents.PutEvents' },
    body: JSON.stringify({ Entries: [entry] }),
  });
  return answer.ok && (await answer.json()).FailedEntryCount === 0;
}

// A target that does not like some events.
export async function listener(event) {
  console.log(JSON.stringify({ listener: event.detail?.id ?? event.Records?.[0].Sns.Message }));
  if (event.detail?.id === 'disliked') throw new Error('not this one');
}
