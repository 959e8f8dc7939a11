/** Boots a CDK stack's template on this machine: what `npm start`, the demo, tests and benchmarks run against. */
import type { App, Stack } from 'aws-cdk-lib';
import { closeSync, existsSync, mkdirSync, openSync, renameSync, rmSync, statSync, writeSync } from 'node:fs';
import { devNull } from 'node:os';
import { join } from 'node:path';
import { scratchFolder } from '../lib/scratch.ts';
import type { BankSettings } from './bank-settings.ts';
import { startBankSimulator, type BankSimulator } from './bank-simulator.ts';
import { newOutputFolder, synthesize, synthesizeApart } from './assembly.ts';
import { createAsyncInvocations } from './async-invocations.ts';
import { createDeliveries } from './deliveries.ts';
import { openDoor, sendJson } from './door.ts';
import { localCredentials, startEngine } from './dynamodb.ts';
import { createEventBuses } from './event-buses.ts';
import { createFaults, type Faults } from './faults.ts';
import type { FunctionLog } from './function-thread.ts';
import { createFunctions } from './functions.ts';
import { openIssuer, type TokenRequest } from './issuer.ts';
import { accountId, region, type Machine, type Naming } from './machine.ts';
import { ownAnswer } from './own-routes.ts';
import { createQueueService } from './queue-service.ts';
import { openQueues } from './queues.ts';
import { bootResources, checkTypes, identifyResource } from './resources.ts';
import { buildGateway } from './rest-api.ts';
import { newRestApiDraft } from './rest-api-draft.ts';
import { openSecrets } from './secrets.ts';
import { serveServices } from './services.ts';
import { openStore } from './store.ts';
import { createTableStreams } from './stream-sharing.ts';
import { createResolver, isRecord, TemplateError, type Resolver, type Template } from './template.ts';
import { createTopics } from './topics.ts';

export interface RunnerOptions {
  /** @default 0, a free port */
  readonly port?: number;
  /**
   * Folder that data is kept in; it is made when missing.
   * @default nothing is kept
   */
  readonly dataDir?: string | undefined;
  /**
   * Keep nothing, whatever `dataDir` says.
   * @default false
   */
  readonly memory?: boolean;
  /** @default the wallet service's stack */
  readonly stack?: (app: App) => Stack;
  /** Values of template parameters besides those of the bank, which are the simulator's. */
  readonly parameters?: Readonly<Record<string, string>>;
  /** How the bank simulator behaves.
   * @default its own defaults */
  readonly bank?: Partial<BankSettings> & { readonly seed?: number };
  /** Threads of all functions together, beyond the first of each.
   * @default 4 for each processor */
  readonly spareThreads?: number;
  /** Told what is being done, one line at a time. */
  readonly progress?: (line: string) => void;
  /** Given what functions write.
   * @default `functions.log` in the data folder, or nowhere */
  readonly log?: (text: string) => void;
}

export interface Runner {
  readonly baseUrl: string;
  /** A development access token for `baseUrl`. */
  token(request: TokenRequest): Promise<string>;
  /** For an SDK client that looks at the same data; `endpoint` is DynamoDB's, `servicesUrl` that of SQS and others. */
  readonly aws: {
    readonly endpoint: string;
    readonly servicesUrl: string;
    readonly region: string;
    readonly credentials: typeof localCredentials;
  };
  /** What `Ref` gives for each resource of the template that exists here: table names, queue URLs, secret ARNs. */
  readonly resources: readonly { readonly logicalId: string; readonly type: string; readonly ref: string }[];
  /** The template's outputs; what only exists in the cloud is left out. */
  readonly outputs: Readonly<Record<string, string>>;
  /** Folder with a folder for each S3 bucket, named as the bucket. */
  readonly bucketsFolder: string;
  /** Makes services of this machine fail for a while. */
  readonly faults: Pick<Faults, 'set' | 'state'>;
  /** The simulated bank; undefined when the template has no `BankUrl`. */
  readonly bank: BankSimulator | undefined;
  /** Settles, with the reason, when the database engine has ended by itself and nothing works any more. */
  readonly failed: Promise<string>;
  /** Finishes what is under way, for 10 s at most, and stops every part. */
  stop(): Promise<void>;
}

/** Another runner has the data folder. */
export class DataInUseError extends Error {
  override readonly name = 'DataInUseError';
}

const drainMs = 10_000;
const maxLogBytes = 64 * 1024 * 1024;
const bankParameter = 'BankUrl';
const bankWindowParameter = 'BankNotFoundWindowSeconds';
/** Longer than the simulator works on a call after its caller has timed out. */
const bankWindowSeconds = 2;
const bankSecretVariable = 'BANK_REQUEST_SECRET_ARN';

/**
 * Starts everything; on an error what was started is stopped again. Throws
 * PortInUseError, DataInUseError, EngineError and TemplateError, whose messages are for the person who started it.
 */
export async function startRunner(options: RunnerOptions = {}): Promise<Runner> {
  const { progress = () => undefined } = options;
  const dataDir = options.memory ? undefined : options.dataDir;
  const stops: (() => unknown)[] = [];
  async function stopAll(): Promise<void> {
    for (const stop of stops.splice(0).reverse()) await stop();
  }

  try {
    const door = await openDoor(options.port ?? 0);
    stops.push(door.close);
    const { baseUrl } = door;
    if (dataDir) mkdirSync(dataDir, { recursive: true, mode: 0o700 });
    const kept = (name: string): string | undefined => (dataDir ? join(dataDir, name) : undefined);
    const queues = openLocked(kept('queues.sqlite'), dataDir);
    stops.push(() => {
      queues.close();
    });

    const bucketsFolder = kept('buckets') ?? temporaryFolder(stops);
    const store = openStore(kept('events.sqlite'));
    const deliveries = createDeliveries(store);
    stops.push(() => {
      deliveries.close();
      store.close();
    });

    progress('starting the DynamoDB engine');
    const starting = startEngine(kept('dynamodb.sqlite'));
    starting.catch(() => undefined); // Awaited below, after the work that goes on meanwhile.
    stops.push(() =>
      starting.then(
        (engine) => engine.stop(),
        () => undefined,
      ),
    );
    progress('synthesizing the stack');
    const outdir = newOutputFolder(dataDir, stops);
    const { template, stackName, asset } = await (options.stack
      ? synthesize(options.stack, outdir)
      : synthesizeApart(outdir));
    checkTypes(template);
    if (Object.values(template.Resources).some(({ Type }) => Type === 'AWS::S3::Bucket')) {
      progress(`buckets are folders here (${bucketsFolder}): object lock holds in the cloud only`);
    }
    const engine = await starting;
    const secrets = openSecrets(kept('secrets.json'));
    const issuer = await openIssuer(kept('issuer.json'));

    const queueUrl = (name: string): string => `${services.url}/${accountId}/${name}`;
    const faults = createFaults();
    const buses = createEventBuses(store, deliveries, faults);
    const topics = createTopics(store, faults);
    const services = await serveServices(
      {
        AmazonSQS: faults.guard('sqs', createQueueService(queues, queueUrl)),
        AWSEvents: buses.service,
        secretsmanager: secrets.service,
      },
      topics.service,
    );
    stops.push(() => {
      services.server.close();
      services.server.closeAllConnections();
    });
    // Tables of a runner that keeps nothing must not be found by the next one on a shared engine.
    const prefix = dataDir ? stackName : `${stackName}-${process.pid}-${door.port}`;
    const naming: Naming = {
      name: (logicalId) => `${prefix}-${logicalId}`,
      arn: (service, resource) => `arn:aws:${service}:${region}:${accountId}:${resource}`,
      queueUrl,
      baseUrl,
    };
    const log = options.log ? { write: options.log } : openLog(kept('functions.log') ?? devNull, stops);
    const functions = createFunctions({ spareThreads: options.spareThreads, log });
    stops.push(() => functions.stop());
    const asyncInvocations = createAsyncInvocations(deliveries);
    stops.push(() => within(drainMs, asyncInvocations.stop()));
    const machine: Machine = {
      engine,
      bucketsFolder,
      store,
      tableStreams: createTableStreams(engine.endpoint),
      queues,
      topics,
      buses,
      deliveryStreams: new Map(),
      deliveries,
      asyncInvocations,
      faults,
      secrets,
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
      onStop: (part) => stops.push(() => within(drainMs, part.stop())),
    };
    const identify = (logicalId: string) => identifyResource(logicalId, template, naming);
    const pseudo = {
      'AWS::AccountId': accountId,
      'AWS::Partition': 'aws',
      'AWS::Region': region,
      'AWS::StackName': stackName,
      'AWS::URLSuffix': 'amazonaws.com',
    };
    const resolverWith = (parameters: Readonly<Record<string, string>>) =>
      createResolver({ template, parameters, pseudo, identify });

    // The bank signs with the key that the stack makes, and the stack wants the bank's address: keys come first.
    const isSecret = (type: string): boolean => type === 'AWS::SecretsManager::Secret';
    const early = resolverWith(options.parameters ?? {});
    await bootResources(machine, template, early, naming, isSecret);
    const bank = template.Parameters?.[bankParameter] && (await startBank());
    async function startBank(): Promise<BankSimulator> {
      const secretArn = String(early.resolve(bankSecretOf(template), bankSecretVariable));
      // A new value is known to the bank at once, and the one before it counts while Secrets Manager has it.
      const keys = (): readonly string[] => secrets.values(secretArn);
      if (keys().length === 0) throw new TemplateError(`${bankSecretVariable} is not a secret of this template`);
      const dataFile = kept('bank.json');
      const started = await startBankSimulator({ ...options.bank, keys, ...(dataFile && { dataFile }) });
      stops.push(() => started.stop());
      return started;
    }
    progress('starting the stack');
    const resolver = resolverWith({ ...options.parameters, ...(bank && parametersOf(template, bank)) });
    await bootResources(machine, template, resolver, naming, (type) => !isSecret(type));
    const gateway = buildGateway(machine.api, functions);
    door.open(async (request, response) => {
      const reply = await ownAnswer(request, machine, issuer, bank);
      if (reply) sendJson(response, reply.status, reply.body);
      else if (gateway) await gateway(request, response);
      else sendJson(response, 404, { message: 'Not Found' });
    });
    stops.push(() => within(drainMs, door.drain()));

    return {
      baseUrl,
      token: issuer.token,
      aws: { endpoint: engine.endpoint, servicesUrl: services.url, region, credentials: localCredentials },
      resources: Object.entries(template.Resources).flatMap(([logicalId, { Type: type }]) => {
        const identity = identify(logicalId);
        return identity ? [{ logicalId, type, ref: identity.ref }] : [];
      }),
      outputs: outputsOf(template, resolver),
      bucketsFolder,
      faults,
      bank,
      failed: engine.ended,
      stop: stopAll,
    };
  } catch (error) {
    await stopAll();
    throw error;
  }
}

function parametersOf({ Parameters = {} }: Template, bank: BankSimulator): Record<string, string> {
  return {
    [bankParameter]: bank.url,
    ...(bankWindowParameter in Parameters && { [bankWindowParameter]: String(bankWindowSeconds) }),
  };
}

function outputsOf(template: Template, resolver: Resolver): Record<string, string> {
  const outputs: Record<string, string> = {};
  for (const [name, { Value }] of Object.entries(template.Outputs ?? {})) {
    try {
      outputs[name] = String(resolver.resolve(Value, name));
    } catch (error) {
      if (!(error instanceof TemplateError)) throw error; // It names what is not here, and nothing here needs it.
    }
  }
  return outputs;
}

function bankSecretOf(template: Template): unknown {
  for (const { Properties } of Object.values(template.Resources)) {
    const environment = Properties?.['Environment'];
    const variables = isRecord(environment) ? environment['Variables'] : undefined;
    if (isRecord(variables) && bankSecretVariable in variables) return variables[bankSecretVariable];
  }
  throw new TemplateError(`the template has the parameter ${bankParameter}, but no function has ${bankSecretVariable}`);
}

function openLocked(path: string | undefined, dataDir: string | undefined): ReturnType<typeof openQueues> {
  try {
    return openQueues(path ?? ':memory:');
  } catch (error) {
    if (error instanceof Error && /database is locked/.test(error.message)) {
      throw new DataInUseError(
        `${String(dataDir)} is in use by another runner: stop that one, or choose another folder with --data`,
      );
    }
    throw error;
  }
}

function temporaryFolder(stops: (() => unknown)[]): string {
  const folder = scratchFolder('buckets');
  stops.push(() => {
    rmSync(folder, { recursive: true, force: true });
  });
  return folder;
}

function openLog(path: string, stops: (() => unknown)[]): FunctionLog {
  if (existsSync(path) && statSync(path).size > maxLogBytes) renameSync(path, `${path}.1`);
  const fd = openSync(path, 'a', 0o600);
  stops.push(() => {
    closeSync(fd);
  });
  return { fd, write: (text) => writeSync(fd, text) };
}

async function within(limitMs: number, work: Promise<void>): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  await Promise.race([
    work,
    new Promise<void>((resolve) => {
      timer = setTimeout(resolve, limitMs);
    }),
  ]);
  clearTimeout(timer);
}
