/** A plain model of limits: it keeps every movement, and adds up those of a day or month when it is asked. */
import type { Direction, WalletLimits } from '../../lambdas/domain/limits.ts';

interface Moved {
  readonly direction: Direction;
  readonly amount: number;
  /** The time at which it counts, ISO 8601 UTC. */
  readonly at: string;
}

/** A wallet with limits, as the model has it. */
export class ModelWallet {
  limits: WalletLimits | undefined;
  available: number;
  held = 0;
  readonly #moved: Moved[] = [];
  /** The latest time since the limits were set; a request of an earlier day counts on its day. */
  #latest = '';

  constructor(available: number) {
    this.available = available;
  }

  /** Sets limits at a time. Removed limits forget what moved. */
  set(limits: WalletLimits | undefined, at: string): void {
    if (this.limits === undefined || limits === undefined) {
      this.#moved.length = 0;
      this.#latest = at;
    }
    this.limits = limits;
  }

  /** Returns the name of what refuses a movement; undefined when it moves. */
  move(direction: Direction, amount: number, time: string, isHold = false): string | undefined {
    const at = time.slice(0, 10) < this.#latest.slice(0, 10) ? this.#latest : time;
    const refused = this.#refused(direction, amount, at);
    if (refused !== undefined) return refused;
    this.available += direction === 'in' ? amount : -amount;
    if (isHold) this.held += amount;
    if (this.limits !== undefined) {
      this.#moved.push({ direction, amount, at });
      this.#latest = at;
    }
    return undefined;
  }

  #refused(direction: Direction, amount: number, at: string): string | undefined {
    const {
      creditLine,
      minimumBalance = creditLine === undefined ? 0 : -creditLine,
      maximumBalance,
    } = this.limits ?? {};
    if (direction === 'out' && creditLine === undefined && this.available < amount) return 'insufficient_funds';
    const { perTransaction, perDay, perMonth } = this.limits?.[direction] ?? {};
    const used = (length: number) =>
      this.#moved.reduce(
        (sum, one) =>
          one.direction === direction && one.at.slice(0, length) === at.slice(0, length) ? sum + one.amount : sum,
        0,
      );
    const balance =
      direction === 'out'
        ? this.available - amount < minimumBalance
        : maximumBalance !== undefined && this.available + this.held + amount > maximumBalance;
    const ofBalance =
      direction === 'in' ? 'maximumBalance' : creditLine === undefined ? 'minimumBalance' : 'creditLine';
    const over = (most: number | undefined, before = 0) => most !== undefined && before + amount > most;
    // What time does not reset comes first.
    const refusals: readonly (readonly [boolean, string])[] = [
      [over(perTransaction), `${direction}.perTransaction`],
      [over(perMonth), `${direction}.perMonth`],
      [over(perDay), `${direction}.perDay`],
      [balance, ofBalance],
      [over(perMonth, used('yyyy-mm'.length)), `${direction}.perMonth`],
      [over(perDay, used('yyyy-mm-dd'.length)), `${direction}.perDay`],
    ];
    return refusals.find(([isRefused]) => isRefused)?.[1];
  }
}
