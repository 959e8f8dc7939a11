/** Boots a CDK stack's template on this machine: `npm start`, the demo, tests and benchmarks run against it. */
import type { App, Stack } from 'aws-cdk-lib';
import { openDoor, sendJson } from '../api-gateway/door.ts';
import type { Door } from '../api-gateway/door.ts';
import type { BankSettings } from '../bank/bank-settings.ts';
import type { BankSimulator } from '../bank/bank-simulator.ts';
import { bankParameters, startStackBank } from '../bank/stack-bank.ts';
import { accountId, region } from '../cloudformation/account.ts';
import { newOutputFolder, synthesize, synthesizeApart } from '../cloudformation/assembly.ts';
import type { Assembly } from '../cloudformation/assembly.ts';
import { createResolver, TemplateError } from '../cloudformation/template.ts';
import type { Resolver, Template } from '../cloudformation/template.ts';
import { localCredentials, startEngine } from '../dynamodb/dynamodb.ts';
import type { Engine } from '../dynamodb/dynamodb.ts';
import type { Faults } from '../endpoint/faults.ts';
import { openIssuer } from '../issuer/issuer.ts';
import type { TokenRequest } from '../issuer/issuer.ts';
import { Shutdown } from '../process/shutdown.ts';
import type { Machine, Naming } from '../resources/machine.ts';
import { bootResources, checkTypes, identifyResource } from '../resources/resources.ts';
import { buildGateway } from '../resources/rest-api.ts';
import { ownAnswer } from './own-routes.ts';
import { openFunctionLog, openRunnerData } from './runner-data.ts';
import type { RunnerData } from './runner-data.ts';
import { createMachine } from './runner-machine.ts';
import { startServices } from './runner-services.ts';

export interface RunnerOptions {
  /** @default 0, a free port */
  readonly port?: number;
  /**
   * Folder of the data; it is made when missing.
   * @default nothing is kept
   */
  readonly dataDir?: string | undefined;
  /**
   * Keeps nothing, even with a `dataDir`.
   * @default false
   */
  readonly memory?: boolean;
  /** @default the wallet service's stack */
  readonly stack?: (app: App) => Stack;
  /** Values of template parameters besides those of the bank, which are the simulator's. */
  readonly parameters?: Readonly<Record<string, string>>;
  /**
   * The behaviour of the bank simulator.
   * @default its own defaults
   */
  readonly bank?: Partial<BankSettings> & { readonly seed?: number };
  /** Threads of all functions together, beyond the first of each.
   * @default 4 for each processor */
  readonly spareThreads?: number;
  /** How long a request waits for a thread at most, before it is refused with 429.
   * @default 10 s */
  readonly longestWaitMs?: number;
  /** Reports each step of the start in one line. */
  readonly progress?: (line: string) => void;
  /**
   * Takes the output of functions.
   * @default `functions.log` in the data folder, or nowhere
   */
  readonly log?: (text: string) => void;
}

export interface Runner {
  readonly baseUrl: string;
  /** Returns a development access token for `baseUrl`. */
  token(request: TokenRequest): Promise<string>;
  /** The settings of SDK clients: `endpoint` is DynamoDB's, `servicesUrl` that of SQS and other services. */
  readonly aws: {
    readonly endpoint: string;
    readonly servicesUrl: string;
    readonly region: string;
    readonly credentials: typeof localCredentials;
  };
  /** The template's resources that exist here, each with the value of `Ref`: a table's name, a queue's URL, a secret's ARN. */
  readonly resources: readonly { readonly logicalId: string; readonly type: string; readonly ref: string }[];
  /** The template's outputs, without those that name a resource of the cloud. */
  readonly outputs: Readonly<Record<string, string>>;
  /** Folder with a folder for each S3 bucket, named as the bucket. */
  readonly bucketsFolder: string;
  /** Makes services of this machine fail for a while. */
  readonly faults: Pick<Faults, 'set' | 'state'>;
  /** The simulated bank; undefined when the template has no `BankUrl`. */
  readonly bank: BankSimulator | undefined;
  /** Resolves with the reason when the database engine has ended by itself; then nothing works any more. */
  readonly failed: Promise<string>;
  /** Stops every part. Each has 10 s to finish its work. */
  stop(): Promise<void>;
}

/**
 * Starts everything; on an error, stops the started parts again. Throws PortInUseError, DataInUseError, EngineError and
 * TemplateError: their messages are for the person who started it.
 */
export async function startRunner(options: RunnerOptions = {}): Promise<Runner> {
  const shutdown = new Shutdown();
  try {
    return await start(options, shutdown);
  } catch (error) {
    await shutdown.run();
    throw error;
  }
}

async function start(options: RunnerOptions, shutdown: Shutdown): Promise<Runner> {
  const door = await openDoor(options.port ?? 0);
  shutdown.add(door.close);
  const { baseUrl } = door;
  const data = openRunnerData(options.memory ? undefined : options.dataDir, shutdown);
  const { engine, assembly } = await startEngineAndSynthesize(options, data, shutdown);
  const { template, stackName, asset } = assembly;
  const services = await startServices(data, shutdown);
  const issuer = await openIssuer(data.path('issuer.json'));
  const log = options.log ? { write: options.log } : openFunctionLog(data.path('functions.log'), shutdown);
  const { spareThreads, longestWaitMs } = options;
  const parts = { data, engine, services, issuer, asset, baseUrl, log, spareThreads, longestWaitMs };
  const machine = createMachine(parts, shutdown);

  // Tables of a runner that keeps nothing must not be found by the next one on a shared engine.
  const prefix = data.folder ? stackName : `${stackName}-${process.pid}-${door.port}`;
  const naming: Naming = {
    name: (logicalId) => `${prefix}-${logicalId}`,
    arn: (service, resource) => `arn:aws:${service}:${region}:${accountId}:${resource}`,
    queueUrl: services.queueUrl,
    baseUrl,
  };
  const { resolver, bank } = await bootStack(options, assembly, machine, naming, data.path('bank.json'), shutdown);
  openTo(door, machine, bank);
  shutdown.addDraining(door.drain);

  return {
    baseUrl,
    token: issuer.token,
    aws: { endpoint: engine.endpoint, servicesUrl: services.url, region, credentials: localCredentials },
    resources: Object.entries(template.Resources).flatMap(([logicalId, { Type: type }]) => {
      const identity = identifyResource(logicalId, template, naming);
      return identity ? [{ logicalId, type, ref: identity.ref }] : [];
    }),
    outputs: outputsOf(template, resolver),
    bucketsFolder: data.bucketsFolder,
    faults: services.faults,
    bank,
    failed: engine.ended,
    stop: () => shutdown.run(),
  };
}

/** Starts the database engine, and synthesizes the stack meanwhile. */
async function startEngineAndSynthesize(
  { progress = () => undefined, stack }: RunnerOptions,
  data: RunnerData,
  shutdown: Shutdown,
): Promise<{ engine: Engine; assembly: Assembly }> {
  progress('starting the DynamoDB engine');
  const starting = startEngine(data.path('dynamodb.sqlite'));
  starting.catch(() => undefined); // Awaited below, after the synthesis.
  shutdown.add(() =>
    starting.then(
      (engine) => engine.stop(),
      () => undefined,
    ),
  );
  progress('synthesizing the stack');
  const outdir = newOutputFolder(data.folder, shutdown);
  const assembly = await (stack ? synthesize(stack, outdir) : synthesizeApart(outdir));
  checkTypes(assembly.template);
  if (Object.values(assembly.template.Resources).some(({ Type }) => Type === 'AWS::S3::Bucket')) {
    progress(`buckets are folders here (${data.bucketsFolder}): object lock holds in the cloud only`);
  }
  return { engine: await starting, assembly };
}

/**
 * Starts the template's resources. The secrets come first: the bank signs with one of them, and the other resources
 * need the bank's address.
 */
async function bootStack(
  { progress = () => undefined, ...options }: RunnerOptions,
  { template, stackName }: Assembly,
  machine: Machine,
  naming: Naming,
  bankFile: string | undefined,
  shutdown: Shutdown,
): Promise<{ resolver: Resolver; bank: BankSimulator | undefined }> {
  const pseudo = {
    'AWS::AccountId': accountId,
    'AWS::Partition': 'aws',
    'AWS::Region': region,
    'AWS::StackName': stackName,
    'AWS::URLSuffix': 'amazonaws.com',
  };
  const identify = (logicalId: string) => identifyResource(logicalId, template, naming);
  const resolverWith = (parameters: Readonly<Record<string, string>>) =>
    createResolver({ template, parameters, pseudo, identify });
  const isSecret = (type: string): boolean => type === 'AWS::SecretsManager::Secret';

  const early = resolverWith(options.parameters ?? {});
  await bootResources(machine, template, early, naming, isSecret);
  const { secrets } = machine;
  const bank = await startStackBank(
    { template, resolver: early, secrets, settings: options.bank ?? {}, dataFile: bankFile },
    shutdown,
  );
  progress('starting the stack');
  const resolver = resolverWith({ ...options.parameters, ...(bank && bankParameters(template, bank)) });
  await bootResources(machine, template, resolver, naming, (type) => !isSecret(type));
  return { resolver, bank };
}

/** Answers requests at the door: first by the runner's own routes, then by those of the template's API. */
function openTo(door: Door, machine: Machine, bank: BankSimulator | undefined): void {
  const gateway = buildGateway(machine.api, machine.functions);
  door.open(async (request, response) => {
    const reply = await ownAnswer(request, machine, machine.issuer, bank);
    if (reply) sendJson(response, reply.status, reply.body);
    else if (gateway) await gateway(request, response);
    else sendJson(response, 404, { message: 'Not Found' });
  });
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
