/** Boots the template of any CDK app on this machine. */
import { accountId, region } from '../cloudformation/account.ts';
import { newOutputFolder, readAssembly } from '../cloudformation/assembly.ts';
import type { Assembly } from '../cloudformation/assembly.ts';
import { createResolver, TemplateError } from '../cloudformation/template.ts';
import type { Resolver, Template } from '../cloudformation/template.ts';
import { cognito } from '../cognito/service.ts';
import type { TokenRequest } from '../cognito/issuer.ts';
import { localCredentials } from '../dynamodb/dynamodb.ts';
import { dynamoDb } from '../dynamodb/service.ts';
import { listen } from '../http/server.ts';
import type { Faults } from '../machine/faults.ts';
import type { Naming } from '../machine/machine.ts';
import { ok } from '../machine/own-routes.ts';
import type { OwnRoutes } from '../machine/own-routes.ts';
import { Shutdown } from '../process/shutdown.ts';
import { s3 } from '../s3/service.ts';
import { secretsManager, secretType } from '../secrets-manager/service.ts';
import { openData } from '../storage/data.ts';
import { openFunctionLog } from '../storage/function-log.ts';
import { createFront } from './front.ts';
import { createMachine } from './local-machine.ts';
import type { OpenMachine } from './local-machine.ts';
import { bootResources, checkTypes, identifyResource } from './resources.ts';
import { services } from './services.ts';

export interface RunnerOptions {
  /** Writes the cloud assembly of a CDK app with one stack into the folder. */
  readonly synthesize: (outdir: string) => Promise<void> | void;
  /** @default 0, a free port */
  readonly port?: number;
  /** A further name of this machine in requests to the API: host.docker.internal. */
  readonly host?: string | undefined;
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
  /** Values of template parameters. */
  readonly parameters?: Readonly<Record<string, string>>;
  /**
   * Starts the outside service that the stack calls, and returns values of template parameters. Called when the
   * template's secrets exist, and before any other resource does.
   */
  readonly partner?: (stack: EarlyStack) => Promise<Readonly<Record<string, string>>>;
  /**
   * Threads of all functions together, beyond the first of each.
   * @default 4 for each processor
   */
  readonly spareThreads?: number;
  /**
   * Longest wait of a request for a thread, ms. Then it is refused with 429.
   * @default 10,000
   */
  readonly longestWaitMs?: number;
  /** Reports each step of the start in one line. */
  readonly progress?: (line: string) => void;
  /**
   * Takes the output of functions.
   * @default `functions.log` in the data folder, or nowhere
   */
  readonly log?: (text: string) => void;
}

/** A stack of which only the secrets exist. */
export interface EarlyStack {
  readonly template: Template;
  /** Returns a value of the template without intrinsics. `where` names its place in errors. Throws TemplateError. */
  resolve(value: unknown, where: string): unknown;
  /** Returns the values of a secret by its ARN: the current one, and the one before it while it has a stage. */
  secretValues(arn: string): readonly string[];
  /** Returns the path of a file in the data folder; undefined when nothing is kept. */
  dataPath(name: string): string | undefined;
  /** The runner's own routes. */
  readonly routes: OwnRoutes;
  /** Adds a part that is stopped with the runner. */
  onStop(stop: () => Promise<void>): void;
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
  /** Resolves with the reason when the database engine has ended by itself; then nothing works any more. */
  readonly failed: Promise<string>;
  /** Stops every part. Each has 10 s to finish its work. */
  stop(): Promise<void>;
}

/**
 * Starts the runner. On an error, stops the started parts. Throws PortInUseError, DataInUseError, EngineError and
 * TemplateError: their messages are for the person who started it.
 */
export async function startRunner(options: RunnerOptions): Promise<Runner> {
  const shutdown = new Shutdown();
  try {
    return await start(options, shutdown);
  } catch (error) {
    await shutdown.run();
    throw error;
  }
}

async function start(options: RunnerOptions, shutdown: Shutdown): Promise<Runner> {
  const server = await listen(options.port ?? 0, options.host);
  shutdown.add(() => server.close());
  const data = openData(options.memory ? undefined : options.dataDir, shutdown);
  const { spareThreads, longestWaitMs, progress = () => undefined } = options;
  const log = options.log ? { write: options.log } : openFunctionLog(data.path('functions.log'), shutdown);
  const machine = await createMachine({
    baseUrl: server.url,
    data,
    functions: { log, spareThreads, longestWaitMs },
    progress,
    shutdown,
  });
  const assembly = await synthesizeWhileOpening(options, machine);
  const { template, stackName } = assembly;
  // Tables of a runner that keeps nothing must not be found by the next one on a shared engine.
  const prefix = data.folder ? stackName : `${stackName}-${process.pid}-${server.port}`;
  const naming: Naming = {
    name: (logicalId) => `${prefix}-${logicalId}`,
    arn: (service, resource) => `arn:aws:${service}:${region}:${accountId}:${resource}`,
    servicesUrl: machine.endpoint.url,
  };
  const resolver = await bootStack(options, assembly, machine, naming);
  const { engine } = machine.use(dynamoDb);
  const running = {
    aws: { endpoint: engine.endpoint, servicesUrl: machine.endpoint.url, region, credentials: localCredentials },
    resources: Object.entries(template.Resources).flatMap(([logicalId, { Type: type }]) => {
      const identity = identifyResource(logicalId, template, naming);
      return identity ? [{ logicalId, type, ref: identity.ref }] : [];
    }),
    outputs: outputsOf(template, resolver),
  };
  machine.routes.add({
    route: 'GET /local/stack',
    about: "the stack's outputs and resources, and the endpoints of the AWS services",
    answer: () => ok({ stack: stackName, ...running }),
  });
  server.open(createFront(machine, stackName));
  shutdown.addDraining(() => server.drain());

  return {
    baseUrl: server.url,
    token: machine.use(cognito).token,
    ...running,
    bucketsFolder: machine.use(s3).folder,
    faults: machine.faults,
    failed: engine.ended,
    stop: () => shutdown.run(),
  };
}

/** Opens the services and synthesizes the stack at the same time. The start of the database engine takes longest. */
async function synthesizeWhileOpening({ synthesize }: RunnerOptions, machine: OpenMachine): Promise<Assembly> {
  const { data, progress, shutdown } = machine;
  const opening = machine.openAll(services);
  opening.catch(() => undefined); // Awaited below, after the synthesis.
  try {
    progress('synthesizing the stack');
    const outdir = newOutputFolder(data.folder, shutdown);
    await synthesize(outdir);
    const assembly = readAssembly(outdir);
    checkTypes(assembly.template);
    return assembly;
  } finally {
    await opening;
  }
}

/** Starts the template's secrets, then the partner, which may share one, then all other resources. */
async function bootStack(
  { partner, parameters = {} }: RunnerOptions,
  assembly: Assembly,
  machine: OpenMachine,
  naming: Naming,
): Promise<Resolver> {
  const { template, stackName } = assembly;
  const pseudo = {
    'AWS::AccountId': accountId,
    'AWS::Partition': 'aws',
    'AWS::Region': region,
    'AWS::StackName': stackName,
    'AWS::URLSuffix': 'amazonaws.com',
  };
  const identify = (logicalId: string) => identifyResource(logicalId, template, naming);
  const early = createResolver({ template, parameters, pseudo, identify });
  await bootResources(machine, assembly, early, naming, (type) => type === secretType);
  const given = await partner?.({
    template,
    resolve: (value, where) => early.resolve(value, where),
    secretValues: (arn) => machine.use(secretsManager).values(arn),
    dataPath: (name) => machine.data.path(name),
    routes: machine.routes,
    onStop(stop) {
      machine.shutdown.add(stop);
    },
  });
  machine.progress('starting the stack');
  const resolver = createResolver({ template, parameters: { ...parameters, ...given }, pseudo, identify });
  await bootResources(machine, assembly, resolver, naming, (type) => type !== secretType);
  return resolver;
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
