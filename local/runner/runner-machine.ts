import { newRestApiDraft } from '../api-gateway/rest-api-draft.ts';
import { region } from '../cloudformation/account.ts';
import { localCredentials } from '../dynamodb/dynamodb.ts';
import type { Engine } from '../dynamodb/dynamodb.ts';
import { createTableStreams } from '../dynamodb/stream-sharing.ts';
import type { Issuer } from '../issuer/issuer.ts';
import { createAsyncInvocations } from '../lambda/async-invocations.ts';
import type { FunctionLog } from '../lambda/function-thread.ts';
import { createFunctions } from '../lambda/functions.ts';
import type { Shutdown } from '../process/shutdown.ts';
import type { Machine } from '../resources/machine.ts';
import type { RunnerData } from './runner-data.ts';
import type { RunnerServices } from './runner-services.ts';

export interface MachineParts {
  readonly data: RunnerData;
  readonly engine: Engine;
  readonly services: RunnerServices;
  readonly issuer: Issuer;
  readonly asset: Machine['asset'];
  /** Where callers reach the API and the issuer. */
  readonly baseUrl: string;
  readonly log: FunctionLog;
  readonly spareThreads: number | undefined;
  readonly longestWaitMs: number | undefined;
}

/** Makes a machine without resources from its parts. */
export function createMachine(parts: MachineParts, shutdown: Shutdown): Machine {
  const { data, engine, services, issuer, asset, baseUrl, log, spareThreads, longestWaitMs } = parts;
  const functions = createFunctions({ spareThreads, longestWaitMs, log });
  shutdown.add(() => functions.stop());
  const asyncInvocations = createAsyncInvocations(data.deliveries);
  shutdown.addDraining(() => asyncInvocations.stop());
  return {
    engine,
    bucketsFolder: data.bucketsFolder,
    store: data.store,
    tableStreams: createTableStreams(engine.endpoint),
    queues: data.queues,
    topics: services.topics,
    buses: services.buses,
    deliveryStreams: new Map(),
    deliveries: data.deliveries,
    asyncInvocations,
    faults: services.faults,
    secrets: services.secrets,
    issuer,
    functions,
    asset,
    api: newRestApiDraft(),
    baseEnvironment: {
      AWS_REGION: region,
      AWS_DEFAULT_REGION: region,
      AWS_ACCESS_KEY_ID: localCredentials.accessKeyId,
      AWS_SECRET_ACCESS_KEY: localCredentials.secretAccessKey,
      AWS_EXECUTION_ENV: 'AWS_Lambda_nodejs24.x',
      AWS_LAMBDA_INITIALIZATION_TYPE: 'on-demand',
      AWS_ENDPOINT_URL_COGNITO_IDENTITY_PROVIDER: baseUrl,
      AWS_ENDPOINT_URL_DYNAMODB: engine.endpoint,
      AWS_ENDPOINT_URL_EVENTBRIDGE: services.url,
      AWS_ENDPOINT_URL_SNS: services.url,
      AWS_ENDPOINT_URL_SQS: services.url,
      AWS_ENDPOINT_URL_SECRETS_MANAGER: services.url,
      TZ: ':UTC',
    },
    onStop(part) {
      shutdown.addDraining(() => part.stop());
    },
  };
}
