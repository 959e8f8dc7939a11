import { GetSecretValueCommand } from '@aws-sdk/client-secrets-manager';
import type { SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { keep } from '../aws/keep.ts';
import type { Kept, Lifetimes } from '../aws/keep.ts';

/** The keys that may be valid: the current one and, during an overlap, the one before it. */
export type Keys = readonly [current: string, ...previous: string[]];

/**
 * A function that returns the keys of one direction. `reload` reads them again: the other side uses none of the
 * returned keys.
 */
export type KeySource = Kept<Keys>;

/** A key that was withdrawn is refused within five minutes. */
const lifetimes: Lifetimes = { refreshAfterMs: 120_000, staleAfterMs: 300_000 };

/** The secret's stages in Secrets Manager. A new value becomes `current`, and the value before it `previous`. */
const stages = { current: 'AWSCURRENT', previous: 'AWSPREVIOUS' } as const;

interface Reading {
  readonly current: string;
  readonly previous: string | undefined;
  /** Time from which the previous key is invalid, epoch ms. */
  readonly overlapEndsAt: number;
}

/**
 * Returns a source of keys from Secrets Manager, which keeps them for at most five minutes. `keep` says what happens
 * when a reading fails. The source rejects with the SDK's error, or when the secret has no string.
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
   * Time for which the previous key is valid after the current one was stored.
   * @default 0, which never reads it
   */
  readonly overlapMs?: number;
  readonly now?: () => number;
}): KeySource {
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
    return { current, previous: previous?.value, overlapEndsAt };
  }

  const kept = keep(`secret ${secretArn}`, readBoth, lifetimes, now);
  return async (reload) => {
    const { current, previous, overlapEndsAt } = await kept(reload);
    return previous === undefined || now() >= overlapEndsAt ? [current] : [current, previous];
  };
}

/** A bank that takes longer than this to accept a new key refuses every request. */
const requestOverlapMs = 30 * 86_400_000;

/**
 * Returns the keys that sign requests to the bank. The bank decides when the old one ends, so both stay in use for
 * long.
 */
export function openRequestKeys(
  client: Pick<SecretsManagerClient, 'send'>,
  secretArn: string,
  now: () => number = Date.now,
): KeySource {
  return openSecret({ client, secretArn, overlapMs: requestOverlapMs, now });
}

/** Returns undefined for a missing value: the secret was never rotated, or an operator ended its overlap. */
function noneIfMissing(error: unknown): undefined {
  if (error instanceof Error && error.name === 'ResourceNotFoundException') return undefined;
  throw error;
}
