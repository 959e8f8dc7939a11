/** The keys that bank and service sign with, one for each direction, and their rotation. */
import type { Reply } from './in-process-clients.ts';
import type { World } from './world.ts';

/** `webhooks`: the key of their secrets, which no bank has. */
export type Direction = 'requests' | 'notifications' | 'webhooks';

/** A rotation of both keys. Times in ms; all but the first count from it. */
export interface Rotation {
  /** The time when the new keys are stored, after the beginning. */
  readonly at: number;
  /** The time when the bank accepts the new key of requests, besides the old one. */
  readonly acceptedAfter: number;
  /** The time when the bank signs with the new key of notifications; before `endedAfter`. */
  readonly usedAfter: number;
  /**
   * The time when an operator ends the overlap of notifications by hand. One later than `notificationOverlapMs` has no
   * effect.
   */
  readonly endedAfter: number;
}

/** The key that the secrets of endpoints are derived from. It is never rotated. */
export const keyOfWebhooks = 'the key of webhooks';
/** The time in which the service accepts the previous key of notifications. */
export const notificationOverlapMs = 600_000;
/** The time in which the bank accepts both keys of requests. */
const requestOverlapMs = 600_000;
/** A container reads the keys again within five minutes. The remainder allows for clocks that differ. */
const readAgainMs = 330_000;
/**
 * A failed reading is not repeated for 10 s, and a reading lasts seconds. The remainder allows for clocks that differ.
 */
const failureMs = 60_000;

export interface SharedKeys {
  /** Answers as Secrets Manager does. */
  readonly read: (direction: Direction, previous: boolean) => Reply;
  /** Records that a reading has failed. */
  readonly onFailure: () => void;
  /** Returns whether a reading has failed lately, so that a container may still use an old key. */
  readonly hasFailed: () => boolean;
  /** Returns the keys of requests that the bank accepts now. */
  readonly accepted: () => readonly string[];
  /** The keys of requests that the bank accepts at some time. */
  readonly genuine: readonly string[];
  /** Returns the key that the bank signs notifications with now. */
  readonly signing: () => string;
  /** Returns the old key of notifications once no container may accept it; undefined before. */
  readonly withdrawn: () => string | undefined;
}

/** Returns the time after which no container accepts the old key of notifications, ms after the beginning. */
export function withdrawnAt({ at, endedAfter }: Rotation): number {
  return at + Math.min(endedAfter, notificationOverlapMs) + readAgainMs;
}

/**
 * Creates the keys of a history.
 *
 * @param startsAt the beginning of the history, epoch ms
 */
export function shareKeys(world: World, startsAt: number, rotation: Rotation | undefined): SharedKeys {
  const keysOf = (direction: Direction) => [`the first key of ${direction}`, `the second key of ${direction}`] as const;
  const isOver = (ms: number) => rotation !== undefined && world.now() >= startsAt + ms;
  const isAfter = (ms: number) => rotation !== undefined && isOver(rotation.at + ms);
  const [firstOfRequests, secondOfRequests] = keysOf('requests');
  const [firstOfNotifications, secondOfNotifications] = keysOf('notifications');
  let failedAt = -Infinity;
  return {
    read(direction, previous) {
      if (direction === 'webhooks') return { status: 200, body: { SecretString: keyOfWebhooks, CreatedDate: 0 } };
      const [first, second] = keysOf(direction);
      const isRotated = rotation !== undefined && isAfter(0);
      const hasPrevious = isRotated && (direction === 'requests' || !isAfter(rotation.endedAfter));
      if (previous && !hasPrevious) {
        return { status: 400, body: { __type: 'ResourceNotFoundException', message: 'there is no previous value' } };
      }
      // The first keys are older than every overlap.
      const createdAt = isRotated && !previous ? startsAt + rotation.at : 0;
      return {
        status: 200,
        body: { SecretString: isRotated && !previous ? second : first, CreatedDate: createdAt / 1000 },
      };
    },
    onFailure() {
      failedAt = world.now();
    },
    hasFailed: () => world.now() - failedAt < failureMs,
    accepted() {
      if (rotation === undefined || !isAfter(rotation.acceptedAfter)) return [firstOfRequests];
      const isAlone = isAfter(rotation.acceptedAfter + requestOverlapMs);
      return isAlone ? [secondOfRequests] : [firstOfRequests, secondOfRequests];
    },
    genuine: [firstOfRequests, secondOfRequests],
    signing: () =>
      rotation !== undefined && isAfter(rotation.usedAfter) ? secondOfNotifications : firstOfNotifications,
    withdrawn: () => (rotation !== undefined && isOver(withdrawnAt(rotation)) ? firstOfNotifications : undefined),
  };
}
