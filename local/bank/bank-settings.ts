import { z } from 'zod';

/** The behaviour of the simulated bank; may change at any time. */
export interface BankSettings {
  /**
   * How long a call takes, in milliseconds; half of it passes before the bank decides and half after.
   * @default 1000
   */
  latencyMs: number;
  /**
   * Share of calls for ordinary destinations that fail for a while. Half of them are refused with 503 before any work.
   * A quarter lose the request, and a quarter lose the answer.
   * @default 0.3
   */
  failureRate: number;
  /**
   * Answers everything with 503.
   * @default false
   */
  down: boolean;
  /**
   * Refuses with a bare 503, which leaves open whether the payment was taken.
   * @default false: with the code `not_accepted` and the payment
   */
  bareRefusals: boolean;
  /**
   * For this long after a first submission, in milliseconds, `find` does not know the payment yet.
   * @default 0
   */
  findDelayMs: number;
  /**
   * How long a SIM-TIMEOUT-… call hangs before its connection is cut, in milliseconds.
   * @default 4000, which is longer than the client waits
   */
  lostAnswerMs: number;
}

/** The JSON form of all settings. */
export const settingsSchema = z.strictObject({
  latencyMs: z.int().min(0).max(60_000),
  failureRate: z.number().min(0).max(1),
  down: z.boolean(),
  bareRefusals: z.boolean(),
  findDelayMs: z.int().min(0).max(600_000),
  lostAnswerMs: z.int().min(0).max(60_000),
});

export const defaultSettings: Readonly<BankSettings> = {
  latencyMs: 1000,
  failureRate: 0.3,
  down: false,
  bareRefusals: false,
  findDelayMs: 0,
  lostAnswerMs: 4000,
};
