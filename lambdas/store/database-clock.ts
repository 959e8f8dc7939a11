import type { ClockReading } from '../domain/withdrawal.ts';

/** A middleware of the SDK that sees each answer to one command. */
type Middleware = <Args, Result extends { response: unknown }>(
  next: (args: Args) => Promise<Result>,
) => (args: Args) => Promise<Result>;

/** The part of an SDK's command that takes a middleware. */
interface Command {
  readonly middlewareStack: { add: (middleware: Middleware, options: { step: 'deserialize' }) => void };
}

/**
 * Makes a command record the time in each of its answers, refusals too, with this worker's clock around that try.
 *
 * @param now this worker's clock, epoch ms
 * @returns a function that returns the reading of the last answer. It returns undefined when there is none, or when the
 * answer has no time, as with some stand-ins for DynamoDB.
 */
export function watchClock({ middlewareStack }: Command, now: () => number): () => ClockReading | undefined {
  let reading: ClockReading | undefined;
  middlewareStack.add(
    (next) => async (args) => {
      const sentAt = now();
      const note = (response: unknown) => {
        const { headers } = (response ?? {}) as { headers?: Readonly<Record<string, string>> };
        const databaseAt = Date.parse(headers?.['date'] ?? '');
        reading = Number.isNaN(databaseAt) ? undefined : { sentAt, receivedAt: now(), databaseAt };
      };
      try {
        const result = await next(args);
        note(result.response);
        return result;
      } catch (error) {
        note((error as { readonly $response?: unknown }).$response);
        throw error;
      }
    },
    { step: 'deserialize' },
  );
  return () => reading;
}
