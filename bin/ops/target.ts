/** The service that a command of `npm run ops` works on: its outputs, its clients and its tables. */
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { LambdaClient } from '@aws-sdk/client-lambda';
import { SQSClient } from '@aws-sdk/client-sqs';
import { optionalWork, outputs } from '../../lambdas/contract.ts';
import type { WorkKind } from '../../lambdas/contract.ts';
import { openTable } from '../../lambdas/store/table.ts';
import type { Table } from '../../lambdas/store/table.ts';
import { UsageError } from '../command.ts';
import { apiUrlOf, outputsOf } from '../deployed-stack.ts';

/** The options that commands share. */
export interface OpsOptions {
  readonly stack?: string | undefined;
  readonly url?: string | undefined;
  readonly region?: string | undefined;
  readonly token?: string | undefined;
  readonly reason?: string | undefined;
  readonly principal?: string | undefined;
  readonly key?: string | undefined;
  readonly kind?: string | undefined;
  readonly hour?: string | undefined;
  readonly bank?: string | undefined;
  readonly by?: string | undefined;
  readonly evidence?: string | undefined;
  /** The word after the command. */
  readonly subject?: string | undefined;
}

/** What a command prints: lines for a person, or data for a program. `isWrong`: something needs an operator. */
export interface Report {
  readonly lines: readonly string[];
  readonly data: object;
  readonly isWrong?: boolean;
}

export type Command = (target: Target, options: OpsOptions) => Promise<Report>;

export interface Target {
  /** Returns an output of the stack. Throws UsageError when the stack has none of this name. */
  readonly output: (name: string) => string;
  /** Returns whether the stack has a queue for this work: notifications and the screening can be switched off. */
  readonly does: (work: WorkKind) => boolean;
  readonly apiUrl: string;
  readonly table: Table;
  readonly entries: Table;
  /** Undefined where webhooks are switched off. */
  readonly webhooks: Table | undefined;
  readonly dynamodb: DynamoDBClient;
  readonly sqs: SQSClient;
  readonly lambda: LambdaClient;
  /** Returns an operator's token: of the runner, or the given one. Throws UsageError when there is none. */
  readonly token: (scope: string) => Promise<string>;
  readonly close: () => void;
}

const runnerUrl = 'http://127.0.0.1:3000';
/** Patience of an operator with one call, ms. */
const budgetMs = 20_000;

/** A running stack as the runner describes it. */
interface RunnerStack {
  readonly outputs: Readonly<Record<string, string>>;
  readonly aws: {
    readonly endpoint: string;
    readonly servicesUrl: string;
    readonly region: string;
    readonly credentials: { readonly accessKeyId: string; readonly secretAccessKey: string };
  };
}

/** Opens the service that the options name. Throws UsageError. */
export async function openTarget(options: OpsOptions): Promise<Target> {
  return options.stack === undefined
    ? openRunner((options.url ?? runnerUrl).replace(/\/+$/, ''))
    : openStack(options.stack, options);
}

async function openRunner(url: string): Promise<Target> {
  const answer = await fetch(`${url}/local/stack`).catch(() => undefined);
  if (answer?.status !== 200) {
    throw new UsageError(`no runner answers at ${url}: start one with npm start, or name a stack with --stack`);
  }
  const { outputs: found, aws } = (await answer.json()) as RunnerStack;
  const { region, credentials } = aws;
  const services = { region, credentials, endpoint: aws.servicesUrl };
  return newTarget({
    outputs: found,
    apiUrl: url,
    dynamodb: new DynamoDBClient({ region, credentials, endpoint: aws.endpoint }),
    sqs: new SQSClient(services),
    lambda: new LambdaClient(services),
    async token(scope) {
      const form = new URLSearchParams({ grant_type: 'client_credentials', client_id: 'ops', scope });
      const issued = await fetch(`${url}/oauth/token`, { method: 'POST', body: form });
      return ((await issued.json()) as { access_token: string }).access_token;
    },
  });
}

async function openStack(name: string, { region, token }: OpsOptions): Promise<Target> {
  const settings = region === undefined ? {} : { region };
  const found = await outputsOf(name, settings).catch((error: unknown) => {
    throw new UsageError(`cannot read the stack ${name}: ${error instanceof Error ? error.message : String(error)}`);
  });
  if (found === undefined) throw new UsageError(`there is no stack ${name} in this account and region`);
  outputIn(found, outputs.apiUrl);
  return newTarget({
    outputs: found,
    apiUrl: apiUrlOf(found),
    dynamodb: new DynamoDBClient(settings),
    sqs: new SQSClient(settings),
    lambda: new LambdaClient(settings),
    token: () =>
      token === undefined
        ? Promise.reject(new UsageError('this command needs --token: docs/runbook.md#an-operators-token'))
        : Promise.resolve(token),
  });
}

function outputIn(found: Readonly<Record<string, string>>, name: string): string {
  const value = found[name];
  if (value) return value;
  throw new UsageError(`the stack has no output ${name}: it is another stack, or of an earlier release`);
}

function isOptional(work: WorkKind): boolean {
  return optionalWork.some((kind) => kind === work);
}

function newTarget(given: {
  readonly outputs: Readonly<Record<string, string>>;
  readonly apiUrl: string;
  readonly dynamodb: DynamoDBClient;
  readonly sqs: SQSClient;
  readonly lambda: LambdaClient;
  readonly token: Target['token'];
}): Target {
  const { dynamodb, sqs, lambda } = given;
  const output = (name: string) => outputIn(given.outputs, name);
  const webhookTable = given.outputs[outputs.webhookTable];
  return {
    ...given,
    output,
    does: (work) => !isOptional(work) || given.outputs[outputs.queueUrl(work)] !== undefined,
    table: openTable(dynamodb, output(outputs.table), budgetMs),
    entries: openTable(dynamodb, output(outputs.entriesTable), budgetMs),
    webhooks: webhookTable === undefined ? undefined : openTable(dynamodb, webhookTable, budgetMs),
    close() {
      for (const client of [dynamodb, sqs, lambda]) client.destroy();
    },
  };
}
