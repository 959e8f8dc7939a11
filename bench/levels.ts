import { DynamoDBClient, GetItemCommand, TransactWriteItemsCommand } from '@aws-sdk/client-dynamodb';
import type { GetItemCommandInput, TransactWriteItemsCommandInput } from '@aws-sdk/client-dynamodb';
import { SendMessageCommand, SQSClient } from '@aws-sdk/client-sqs';
import type { APIGatewayProxyEvent, APIGatewayProxyResult, Context } from 'aws-lambda';
import { Agent } from 'node:http';
import { pathToFileURL } from 'node:url';
import { charge } from '../lambdas/api/charge.ts';
import { getBalance } from '../lambdas/api/get-balance.ts';
import { transfer } from '../lambdas/api/transfer.ts';
import { withdraw } from '../lambdas/api/withdraw.ts';
import type { WorkMessage } from '../lambdas/contract.ts';
import { serve } from '../lambdas/http/http.ts';
import { openLimits } from '../lambdas/http/limits.ts';
import { openTable } from '../lambdas/store/table.ts';
import { exchange } from './exchange.ts';
import { contextOf, eventOf } from './requests.ts';
import type { BenchRequest, Operation } from './requests.ts';

/** One prepared call; rejects unless it succeeds. `answer` is the body, if there is one. */
export type Call = () => Promise<string | undefined>;

/**
 * A function that prepares calls, one list for each lane. A lane makes one call at a time, as a Lambda container does.
 */
export type Level = (operation: Operation, requests: readonly BenchRequest[], lanes: number) => Promise<Call[][]>;

/** The settings of each level. */
export type LevelSettings =
  | { readonly level: 'raw client' }
  | { readonly level: 'handler'; readonly bundles: Readonly<Record<Operation, string>> }
  | { readonly level: 'HTTP'; readonly baseUrl: string; readonly token: string };

export function openLevel(settings: LevelSettings): Level {
  switch (settings.level) {
    case 'raw client':
      return rawLevel();
    case 'handler':
      return handlerLevel(settings.bundles);
    case 'HTTP':
      return httpLevel(settings.baseUrl, settings.token);
  }
}

/** Deals to lanes in turn. */
function deal<T>(items: readonly T[], lanes: number): T[][] {
  return Array.from({ length: lanes }, (_, lane) => items.filter((_item, index) => index % lanes === lane));
}

/**
 * Opens a bare SDK client that sends the handlers' own commands. They are caught before the measured time begins. A
 * withdrawal also sends its message.
 */
function rawLevel(): Level {
  const clients: { dynamodb: DynamoDBClient; sqs: SQSClient }[] = [];
  return async (operation, requests, lanes) => {
    const catcher = openCatcher(operation);
    const caught: Caught[] = [];
    for (const request of requests) caught.push(await catcher(request));
    return deal(caught, lanes).map((list, lane) => {
      const { dynamodb, sqs } = (clients[lane] ??= { dynamodb: new DynamoDBClient({}), sqs: new SQSClient({}) });
      return list.map(({ input, message }) => async () => {
        await ('TransactItems' in input
          ? dynamodb.send(new TransactWriteItemsCommand(input))
          : dynamodb.send(new GetItemCommand(input)));
        if (message !== undefined) {
          const QueueUrl = process.env['WITHDRAWAL_QUEUE_URL'];
          await sqs.send(new SendMessageCommand({ QueueUrl, MessageBody: JSON.stringify(message) }));
        }
        return undefined;
      });
    });
  };
}

interface Caught {
  readonly input: TransactWriteItemsCommandInput | GetItemCommandInput;
  readonly message: WorkMessage | undefined;
}

/** Runs handlers on a client that sends nothing and keeps the commands. */
function openCatcher(operation: Operation): (request: BenchRequest) => Promise<Caught> {
  const client = new DynamoDBClient({});
  const nothing = { input: undefined, message: undefined };
  const caught: { input: Caught['input'] | undefined; message: WorkMessage | undefined } = { ...nothing };
  client.middlewareStack.add(
    () => (args) => {
      caught.input = args.input as Caught['input'];
      return Promise.resolve({ output: { $metadata: {} }, response: undefined });
    },
    // Behind the step that makes items of JavaScript values.
    { step: 'build' },
  );
  const table = openTable(client, process.env['TABLE_NAME'] ?? '');
  const services = {
    table,
    entries: table,
    limits: openLimits({ readsPerHour: 1, perHour: 1, refusalsPerHour: 1 }),
    isOverloaded: () => Promise.resolve(false),
    queue: {
      send(sent: WorkMessage) {
        caught.message = sent;
        return Promise.resolve();
      },
    },
  };
  const handlers = {
    charge: serve(charge, services),
    transfer: serve(transfer, services),
    withdraw: serve(withdraw, services),
    'get-balance': serve(getBalance, services),
  };
  return async (request) => {
    Object.assign(caught, nothing);
    await handlers[operation](eventOf(request), contextOf('bench'));
    const { input, message } = caught;
    if (input === undefined) throw new Error(`${operation} asks nothing of the database`);
    return { input, message };
  };
}

type Handler = (event: APIGatewayProxyEvent, context: Context) => Promise<APIGatewayProxyResult>;

/**
 * Opens the functions' real bundles. A bundle is loaded once for all lanes, as the raw client's code is. Copies would
 * be compiled once for each lane, and compare a warm client with cold handlers. Only log keys mix.
 */
function handlerLevel(bundles: Readonly<Record<Operation, string>>): Level {
  return async (operation, requests, lanes) => {
    const { handler } = (await import(pathToFileURL(bundles[operation]).href)) as { handler: Handler };
    const calls = requests.map((request, index) => async () => {
      const answer = await handler(eventOf(request), contextOf(String(index)));
      if (answer.statusCode >= 300) throw new Error(`${operation} answered ${answer.statusCode}: ${answer.body}`);
      return answer.body;
    });
    return deal(calls, lanes);
  };
}

/** Opens the runner's gateway, over connections that are kept. */
function httpLevel(baseUrl: string, token: string): Level {
  const agent = new Agent({ keepAlive: true });
  return (operation, requests, lanes) => {
    const calls = requests.map((request) => async () => {
      const body = request.body === undefined ? '' : JSON.stringify(request.body);
      const { status, text } = await exchange(agent, new URL(baseUrl + request.path), {
        method: request.method,
        headers: { ...request.headers, Authorization: `Bearer ${token}` },
        body,
      });
      if (status >= 300) throw new Error(`${operation} answered ${status}: ${text}`);
      return text;
    });
    return Promise.resolve(deal(calls, lanes));
  };
}
