/** Switches by which tests and developers make a service of this machine fail for a while. */
import { isRecord } from '../cloudformation/template.ts';
import { ServiceError } from './endpoint.ts';
import type { JsonService } from './endpoint.ts';

const services = ['eventbridge', 'sns', 'sqs'] as const;
export type FaultyService = (typeof services)[number];

export interface Faults {
  /**
   * `true`: each request of the service fails. A number between 0 and 1: this share of its entries is refused, one by
   * one in a batch. `false`: it works.
   */
  set(service: FaultyService, fault: boolean | number): void;
  /** Returns the faults that are set now. */
  state(): Record<FaultyService, boolean | number>;
  /** Sets the faults that a request's body names, `{"sns": true}`. Returns the defect of the body, if it has one. */
  apply(body: unknown): string | undefined;
  /** Throws when requests of the service fail now. */
  check(service: FaultyService): void;
  /** Returns whether the next entry is refused. */
  refuses(service: FaultyService): boolean;
  /** Returns a service whose requests fail when `refuses` says so. */
  guard(service: FaultyService, guarded: JsonService): JsonService;
}

export function createFaults(): Faults {
  const state: Record<FaultyService, boolean | number> = { eventbridge: false, sns: false, sqs: false };
  // Refusals come at even distances rather than by chance, so that a test sees the same each time.
  const owed: Record<FaultyService, number> = { eventbridge: 0, sns: 0, sqs: 0 };
  const set = (service: FaultyService, fault: boolean | number): void => {
    state[service] = fault;
    owed[service] = 0;
  };
  const unavailable = (service: FaultyService): ServiceError =>
    new ServiceError('ServiceUnavailable', `${service} is switched off`, undefined, 503);
  const faults: Faults = {
    set,
    state: () => ({ ...state }),
    apply(body) {
      if (!isRecord(body)) return 'expected a JSON object';
      for (const [service, fault] of Object.entries(body)) {
        if (!isFaulty(service)) return `${service} is not one of ${services.join(', ')}`;
        const share = typeof fault === 'number' && fault >= 0 && fault <= 1;
        if (typeof fault !== 'boolean' && !share) return `${service}: expected true, false or a share between 0 and 1`;
      }
      for (const [service, fault] of Object.entries(body)) {
        if (isFaulty(service)) set(service, fault as boolean | number);
      }
      return undefined;
    },
    check(service) {
      if (state[service] === true) throw unavailable(service);
    },
    refuses(service) {
      const share = state[service];
      if (typeof share !== 'number') return share;
      owed[service] += share;
      if (owed[service] < 1) return false;
      owed[service] -= 1;
      return true;
    },
    guard: (service, guarded) => (operation, input) => {
      if (faults.refuses(service)) throw unavailable(service);
      return guarded(operation, input);
    },
  };
  return faults;
}

const isFaulty = (service: string): service is FaultyService => (services as readonly string[]).includes(service);
