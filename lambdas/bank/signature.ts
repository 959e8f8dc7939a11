import { createHash, createHmac, timingSafeEqual } from 'node:crypto';

/** Seconds since 1970 at which the request was signed. */
export const timestampHeader = 'x-wallet-timestamp';
/** `v1=<hex>`. */
export const signatureHeader = 'x-wallet-signature';

/** Most by which the sender's clock may differ from ours, in seconds. A request older than this is not accepted. */
const toleranceSeconds = 300;

/** The signed parts of a request besides the time. `path` is as sent, with its query; `body` is empty for a GET. */
export interface SignedRequest {
  readonly method: string;
  readonly path: string;
  readonly body: string | Uint8Array;
}

/** Returns the headers that sign a request. `timestamp` is in seconds. */
export function sign(request: SignedRequest, secret: string, timestamp: number): Record<string, string> {
  const time = String(timestamp);
  return { [timestampHeader]: time, [signatureHeader]: `v1=${digest(request, secret, time).toString('hex')}` };
}

/**
 * Checks the two headers of a request against its content. Returns `expired` only for a genuine signature, so that a
 * sender without the key learns nothing about our clock. Both directions sign in the same way, and both sides call
 * this. A caller that accepts two keys during a rotation calls it once with each.
 */
export function checkSignature(
  request: SignedRequest,
  headers: { readonly timestamp: string | undefined; readonly signature: string | undefined },
  secret: string,
  nowSeconds: number,
): 'valid' | 'missing' | 'invalid' | 'expired' {
  const { timestamp, signature } = headers;
  if (timestamp === undefined || signature === undefined) return 'missing';
  if (!/^\d{1,12}$/.test(timestamp) || !/^v1=[0-9a-f]{64}$/.test(signature)) return 'invalid';
  const given = Buffer.from(signature.slice('v1='.length), 'hex');
  if (!timingSafeEqual(given, digest(request, secret, timestamp))) return 'invalid';
  return Math.abs(nowSeconds - Number(timestamp)) <= toleranceSeconds ? 'valid' : 'expired';
}

function digest({ method, path, body }: SignedRequest, secret: string, timestamp: string): Buffer {
  // Every sender could compute the signature of an empty key.
  if (secret === '') throw new Error('the signing secret is empty');
  const bodyHash = createHash('sha256').update(body).digest('hex');
  return createHmac('sha256', secret).update(`v1\n${timestamp}\n${method}\n${path}\n${bodyHash}`).digest();
}
