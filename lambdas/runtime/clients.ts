import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { EventBridgeClient } from '@aws-sdk/client-eventbridge';
import { SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { SNSClient } from '@aws-sdk/client-sns';
import { SQSClient } from '@aws-sdk/client-sqs';
import { NodeHttpHandler } from '@smithy/node-http-handler';

/**
 * The SDK's clients with time limits; the SDK's own default is to wait for ever. Region, credentials and endpoints come
 * from the environment, as Lambda (or whoever runs the function) sets it.
 */

/**
 * DynamoDB. It makes one try for each call, unless told otherwise: the store tries again itself, inside its time
 * budget. Who reads a megabyte a call gives it more time.
 *
 * The SDK does not correct a wrong clock. It would mark every error as one that another try may mend, also a failed
 * condition, so that each refusal would become `busy`. Beyond five minutes AWS refuses the signatures of such a clock.
 */
export function dynamodbClient({ maxAttempts = 1, requestTimeoutMs = 1_500 } = {}): DynamoDBClient {
  return new DynamoDBClient({
    maxAttempts,
    disableClockSkewCorrection: true,
    requestHandler: within(requestTimeoutMs),
  });
}

/** SQS, with the SDK's own retries: sending or hiding a message twice does no harm, as queues carry only ids. */
export function sqsClient(): SQSClient {
  return new SQSClient({
    maxAttempts: 3,
    requestHandler: within(2_000),
  });
}

/** Secrets Manager. */
export function secretsClient(): SecretsManagerClient {
  return new SecretsManagerClient({
    maxAttempts: 3,
    requestHandler: within(2_000),
  });
}

/** EventBridge. One try for each call: whoever publishes tries again what was refused, and only that. */
export function eventBridgeClient(): EventBridgeClient {
  return new EventBridgeClient({
    maxAttempts: 1,
    requestHandler: within(3_000),
  });
}

/** SNS. One try for each call: a second one after a lost answer would notify twice. */
export function snsClient(): SNSClient {
  return new SNSClient({
    maxAttempts: 1,
    requestHandler: within(3_000),
  });
}

/** @param requestTimeout milliseconds */
function within(requestTimeout: number): NodeHttpHandler {
  return new NodeHttpHandler({ connectionTimeout: 1_000, requestTimeout, throwOnRequestTimeout: true });
}
