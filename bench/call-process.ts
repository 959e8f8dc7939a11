/** Calls one function in a process of its own, one event at a time. */
import type { APIGatewayProxyEvent, APIGatewayProxyResult, Context } from 'aws-lambda';
import { pathToFileURL } from 'node:url';
import { contextOf } from './requests.ts';

/** The order to a process: the last `warm` of its events count as warm calls. */
export interface CallMessage {
  readonly file: string;
  readonly events: readonly APIGatewayProxyEvent[];
  readonly warm: number;
}

/** CPU time in milliseconds, of one call. */
export interface CallCosts {
  readonly firstMs: number;
  readonly warmMs: number;
  readonly warmUserMs: number;
}

type Handler = (event: APIGatewayProxyEvent, context: Context) => Promise<APIGatewayProxyResult>;

async function measure({ file, events, warm }: CallMessage): Promise<CallCosts> {
  const { handler } = (await import(pathToFileURL(file).href)) as { handler: Handler };
  const call = async (event: APIGatewayProxyEvent, nth: number): Promise<void> => {
    const { statusCode, body } = await handler(event, contextOf(String(nth)));
    if (statusCode >= 300) throw new Error(`${file} answered ${statusCode}: ${body}`);
  };
  const usageOf = async (some: readonly APIGatewayProxyEvent[]): Promise<{ user: number; all: number }> => {
    const before = process.cpuUsage();
    for (const [nth, event] of some.entries()) await call(event, nth);
    const { user, system } = process.cpuUsage(before);
    return { user: user / 1000 / some.length, all: (user + system) / 1000 / some.length };
  };
  const first = await usageOf(events.slice(0, 1));
  await usageOf(events.slice(1, -warm));
  const last = await usageOf(events.slice(-warm));
  return { firstMs: first.all, warmMs: last.all, warmUserMs: last.user };
}

process.on('message', (message: CallMessage) => {
  measure(message).then(
    (costs) => process.send?.(costs),
    (error: unknown) => {
      console.error(error);
      process.exit(1);
    },
  );
});
process.on('disconnect', () => process.exit());
