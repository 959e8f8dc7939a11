import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { EventBridgeClient } from '@aws-sdk/client-eventbridge';
import { SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { SNSClient } from '@aws-sdk/client-sns';
import { SQSClient } from '@aws-sdk/client-sqs';
import { NodeHttpHandler } from '@smithy/node-http-handler';

/**
 * The SDK's clients with time limits; the SDK's own default is to wait for ever. Region, credentials and endpoints come
 * from the environment, which Lambda or another host of the function sets.
 */

/**
 * Returns a client of DynamoDB. By default it makes one try for each call, as the store retries itself, within its time
 * budget. A caller that reads a megabyte in a call sets a longer `requestTimeoutMs` (milliseconds).
 *
 * The SDK's correction of a wrong clock is off. While it corrects a clock, it marks every error for a retry, also a
 * failed condition, so each refusal would become `busy`. AWS refuses the signatures of a clock that is wrong by more
 * than five minutes.
 */
export function dynamodbClient({ maxAttempts = 1, requestTimeoutMs = 1_500 } = {}): DynamoDBClient {
  const client = new DynamoDBClient({
    maxAttempts,
    disableClockSkewCorrection: true,
    requestHandler: within(requestTimeoutMs),
  });
  for (const name of unread) client.middlewareStack.remove(name);
  return client;
}

/**
 * Steps of each call whose result the service does not use. They are the SDK's log lines, its version for AWS, and the
 * trace for Lambda's loop detection, which DynamoDB does not pass on. They are a twentieth of a call's work.
 */
const unread = ['loggerMiddleware', 'getUserAgentMiddleware', 'recursionDetectionMiddleware'];

/**
 * Returns a client of SQS that retries: sending or delaying a message twice does no harm, as queues carry only ids.
 * `requestTimeoutMs` (milliseconds) limits each attempt.
 */
export function sqsClient({ maxAttempts = 3, requestTimeoutMs = 2_000 } = {}): SQSClient {
  return new SQSClient({ maxAttempts, requestHandler: within(requestTimeoutMs) });
}

/** Returns a client of Secrets Manager that retries. */
export function secretsClient(): SecretsManagerClient {
  return new SecretsManagerClient({
    maxAttempts: 3,
    requestHandler: within(2_000),
  });
}

/**
 * Returns a client of EventBridge. One try for each call: the caller retries the events that were refused, no others.
 */
export function eventBridgeClient(): EventBridgeClient {
  return new EventBridgeClient({
    maxAttempts: 1,
    requestHandler: within(3_000),
  });
}

/** Returns a client of SNS. One try for each call: a second one after a lost answer would notify twice. */
export function snsClient(): SNSClient {
  return new SNSClient({
    maxAttempts: 1,
    requestHandler: within(3_000),
  });
}

/**
 * Returns an HTTP handler with time limits.
 *
 * @param requestTimeout milliseconds
 */
function within(requestTimeout: number): NodeHttpHandler {
  return new NodeHttpHandler({ connectionTimeout: 1_000, requestTimeout, throwOnRequestTimeout: true });
}
