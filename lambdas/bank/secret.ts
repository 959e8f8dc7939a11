import { GetSecretValueCommand, type SecretsManagerClient } from '@aws-sdk/client-secrets-manager';

/** Gives the signing key. `refused` is a key that the bank does not accept any more; another one is wanted. */
export type SecretSource = (refused?: string) => Promise<string>;

/**
 * The signing key from Secrets Manager: read when first needed, then kept for the life of the container. When the bank
 * refuses the kept key it is read again, which is how a rotation arrives; but at most every `refetchAfterMs`, so that
 * a bank that refuses everything does not turn into a bill. Concurrent callers share one read, and a failed read is
 * not kept. Rejects with the SDK's error, or when the secret has no string.
 */
export function openSecret({
  client,
  secretArn,
  refetchAfterMs = 10_000,
  now = Date.now,
}: {
  readonly client: Pick<SecretsManagerClient, 'send'>;
  readonly secretArn: string;
  readonly refetchAfterMs?: number;
  readonly now?: () => number;
}): SecretSource {
  let kept: { readonly value: string; readonly readAt: number } | undefined;
  let reading: Promise<string> | undefined;

  async function read(): Promise<string> {
    const { SecretString: value } = await client.send(new GetSecretValueCommand({ SecretId: secretArn }));
    if (value === undefined || value === '') throw new Error(`secret ${secretArn} has no string value`);
    kept = { value, readAt: now() };
    return value;
  }

  return async (refused) => {
    if (kept && (kept.value !== refused || now() - kept.readAt < refetchAfterMs)) return kept.value;
    reading ??= read().finally(() => (reading = undefined));
    return reading;
  };
}
