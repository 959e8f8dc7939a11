import type { ClockReading } from '../domain/withdrawal.ts';

/** What watches the answers to one command, next to the SDK's own reading of them. */
type Middleware = <Args, Result extends { response: unknown }>(
  next: (args: Args) => Promise<Result>,
) => (args: Args) => Promise<Result>;

/** A command of the SDK. */
interface Command {
  readonly middlewareStack: { add: (middleware: Middleware, options: { step: 'deserialize' }) => void };
}

/**
 * Watches a command for the time in its answers.
 *
 * @returns a function that returns what the last answer shows of the clocks; undefined when it names no time, as those
 *   of some stand-ins for DynamoDB
 */
export function watchClock({ middlewareStack }: Command, now: () => number): () => ClockReading | undefined {
  let reading: ClockReading | undefined;
  middlewareStack.add(
    (next) => async (args) => {
      const sentAt = now();
      const result = await next(args);
      const { headers } = result.response as { headers: Readonly<Record<string, string>> };
      const databaseAt = Date.parse(headers['date'] ?? '');
      reading = Number.isNaN(databaseAt) ? undefined : { sentAt, receivedAt: now(), databaseAt };
      return result;
    },
    { step: 'deserialize' },
  );
  return () => reading;
}
