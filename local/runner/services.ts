/** The AWS services of this machine. */
import { apiGateway } from '../api-gateway/service.ts';
import { cognito } from '../cognito/service.ts';
import { dynamoDb } from '../dynamodb/service.ts';
import { eventSources } from '../event-sources/service.ts';
import { eventBridge } from '../eventbridge/service.ts';
import { firehose } from '../firehose/service.ts';
import { lambda } from '../lambda/service.ts';
import type { Service } from '../machine/machine.ts';
import { s3 } from '../s3/service.ts';
import { secretsManager } from '../secrets-manager/service.ts';
import { sns } from '../sns/service.ts';
import { sqs } from '../sqs/service.ts';

/** All services, in the order in which they are opened and their resources are started. Each may use those before it. */
export const services: readonly Service[] = [
  dynamoDb,
  secretsManager,
  cognito,
  sqs,
  lambda,
  apiGateway,
  s3,
  firehose,
  eventBridge,
  sns,
  eventSources,
];
