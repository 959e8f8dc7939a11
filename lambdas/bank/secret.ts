import { GetSecretValueCommand, type SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { describe, logger } from '../runtime/telemetry.ts';

/** The keys that may be right: the current one and, while an overlap lasts, the one before it. */
export type Keys = readonly [current: string, ...previous: string[]];

/**
 * Gives the keys of one direction. `afresh` reads the secret again, because the other side uses none of the keys that
 * were given.
 */
export type KeySource = (afresh?: 'afresh') => Promise<Keys>;

/** Age at which a call starts to read the secret again, and goes on with the keys that it has. */
const refreshAfterMs = 120_000;
/** Age from which a call waits for the new reading. A key that was withdrawn is refused within this time. */
const staleAfterMs = 300_000;
/** Age up to which keys are used when the secret cannot be read. */
const unusableAfterMs = 3_600_000;
/** A reading that failed, or that was asked for as `afresh`, is repeated no sooner. */
const retryAfterMs = 10_000;

/** The secret's stages as Secrets Manager names them: storing a value moves the value before it to the second. */
const stages = { current: 'AWSCURRENT', previous: 'AWSPREVIOUS' } as const;

interface Reading {
  readonly current: string;
  readonly previous: string | undefined;
  /** When the previous key stops to count, epoch ms. */
  readonly overlapEndsAt: number;
  /** When the reading began, epoch ms. */
  readonly at: number;
}

/**
 * Keys from Secrets Manager, kept for at most five minutes. Concurrent callers share one reading. A reading that fails
 * is logged, and the keys of the last one are used for up to an hour. Rejects with the SDK's error, or when the secret
 * has no string.
 */
export function openSecret({
  client,
  secretArn,
  overlapMs = 0,
  now = Date.now,
}: {
  readonly client: Pick<SecretsManagerClient, 'send'>;
  readonly secretArn: string;
  /**
   * How long the previous key counts after the current one was stored.
   * @default 0, which never reads it
   */
  readonly overlapMs?: number;
  readonly now?: () => number;
}): KeySource {
  let kept: Reading | undefined;
  let reading: Promise<Reading> | undefined;
  let failedAt = -Infinity;
  let afreshAt = -Infinity;

  async function readStage(stage: string) {
    const command = new GetSecretValueCommand({ SecretId: secretArn, VersionStage: stage });
    const { SecretString: value, CreatedDate: createdAt } = await client.send(command);
    if (value === undefined || value === '') throw new Error(`secret ${secretArn} has no string value`);
    return { value, createdAt };
  }

  async function readBoth(): Promise<Reading> {
    const at = now();
    const { value: current, createdAt } = await readStage(stages.current);
    const overlapEndsAt = (createdAt?.getTime() ?? -Infinity) + overlapMs;
    const previous = overlapEndsAt > at ? await readStage(stages.previous).catch(noneIfMissing) : undefined;
    return { current, previous: previous?.value, overlapEndsAt, at };
  }

  function read(): Promise<Reading> {
    reading ??= readBoth()
      .then((found) => (kept = found))
      .catch((error: unknown) => {
        failedAt = now();
        logger.warn('secret not read', { secretArn, error: describe(error) });
        throw error;
      })
      .finally(() => (reading = undefined));
    return reading;
  }

  function keysOf({ current, previous, overlapEndsAt }: Reading): Keys {
    return previous === undefined || now() >= overlapEndsAt ? [current] : [current, previous];
  }

  return async (afresh) => {
    const ageMs = kept === undefined ? Infinity : now() - kept.at;
    if (kept === undefined || ageMs >= unusableAfterMs) return keysOf(await read());
    const mayRead = reading !== undefined || now() - failedAt >= retryAfterMs;
    const wantsAfresh = afresh !== undefined && (reading !== undefined || now() - afreshAt >= retryAfterMs);
    if (wantsAfresh) afreshAt = now();
    if (mayRead && (wantsAfresh || ageMs >= staleAfterMs)) return keysOf(await read().catch(() => kept as Reading));
    // Not awaited: the keys at hand still count, and a reading that fails must not delay the call.
    if (mayRead && ageMs >= refreshAfterMs) void read().catch(() => undefined);
    return keysOf(kept);
  };
}

/** A bank that takes longer than this to accept a new key refuses every request. */
const requestOverlapMs = 30 * 86_400_000;

/** The keys that requests to the bank are signed with. Which of them counts is the bank's decision, hence the time. */
export function openRequestKeys(
  client: Pick<SecretsManagerClient, 'send'>,
  secretArn: string,
  now: () => number = Date.now,
): KeySource {
  return openSecret({ client, secretArn, overlapMs: requestOverlapMs, now });
}

/** A secret that was never rotated, or whose overlap was ended by hand, has no previous value. */
function noneIfMissing(error: unknown): undefined {
  if (error instanceof Error && error.name === 'ResourceNotFoundException') return undefined;
  throw error;
}
