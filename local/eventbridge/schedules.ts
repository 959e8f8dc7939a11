/** EventBridge rules that call a function at a fixed rate. */
import { randomUUID } from 'node:crypto';
import { TemplateError } from '../cloudformation/template.ts';
import type { LocalFunction } from '../lambda/function-pool.ts';

const unitMs: Record<string, number> = { minute: 60_000, hour: 3_600_000, day: 86_400_000 };

/** Milliseconds between two events of `rate(5 minutes)`. Throws TemplateError for any other expression. */
export function intervalOf(expression: string, where: string): number {
  const [, count, unit] = /^rate\((\d+) (minute|hour|day)s?\)$/.exec(expression) ?? [];
  const ms = Number(count) * (unitMs[unit ?? ''] ?? NaN);
  if (!(ms > 0)) throw new TemplateError(`${where}: schedule ${expression} is not supported`);
  return ms;
}

export interface ScheduleSettings {
  readonly ruleArn: string;
  readonly intervalMs: number;
  readonly target: LocalFunction;
  /** The event as JSON, instead of EventBridge's own. */
  readonly input?: string | undefined;
  readonly accountId: string;
  readonly region: string;
}

export interface RunningSchedule {
  /** Calls the function now, beside its interval. Resolves at the end of the call, whatever that is. */
  call(): Promise<void>;
  /** Makes no further calls, and waits for those under way. */
  stop(): Promise<void>;
}

/** Calls the function once every interval, first after one interval, until stopped. */
export function startSchedule(settings: ScheduleSettings): RunningSchedule {
  const running = new Set<Promise<void>>();
  const call = (): Promise<void> => {
    const event: unknown = settings.input === undefined ? scheduledEvent(settings) : JSON.parse(settings.input);
    const called = settings.target.invoke(event, 'event').then(
      () => undefined,
      () => undefined, // The function's log has the reason; the next event comes in its time.
    );
    running.add(called);
    void called.then(() => running.delete(called));
    return called;
  };
  const timer = setInterval(() => void call(), settings.intervalMs);
  return {
    call,
    async stop() {
      clearInterval(timer);
      await Promise.all(running);
    },
  };
}

function scheduledEvent({ ruleArn, accountId, region }: ScheduleSettings): object {
  return {
    version: '0',
    id: randomUUID(),
    'detail-type': 'Scheduled Event',
    source: 'aws.events',
    account: accountId,
    time: `${new Date().toISOString().slice(0, 19)}Z`,
    region,
    resources: [ruleArn],
    detail: {},
  };
}
