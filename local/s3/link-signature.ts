/** The signature of a link to an object (AWS Signature Version 4, in the query), as S3 checks it. */
import { createHash, createHmac, timingSafeEqual } from 'node:crypto';

/** The part of a request that a link signs. */
export interface LinkRequest {
  readonly method: string;
  readonly host: string;
  /** With the query. */
  readonly url: string;
}

/**
 * Returns why a link opens nothing; undefined for a valid one.
 *
 * @param now epoch ms
 */
export function defectOfLink(request: LinkRequest, secretKey: string, now: number): string | undefined {
  const [path = '', queryText = ''] = request.url.split('?', 2);
  const query = new URLSearchParams(queryText);
  const valueOf = (name: string) => query.get(`X-Amz-${name}`) ?? '';
  const [, date = '', region = '', service = ''] = valueOf('Credential').split('/');
  const signedAt = valueOf('Date');
  const time = Date.parse(signedAt.replace(/^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/, '$1-$2-$3T$4:$5:$6Z'));
  if (valueOf('SignedHeaders') !== 'host' || Number.isNaN(time)) return 'the link is not signed as S3 signs it';
  const canonicalQuery = queryText
    .split('&')
    .filter((pair) => !pair.startsWith('X-Amz-Signature='))
    .sort()
    .join('&');
  const canonical = [request.method, path, canonicalQuery, `host:${request.host}`, '', 'host', 'UNSIGNED-PAYLOAD'];
  const hashed = createHash('sha256').update(canonical.join('\n')).digest('hex');
  const text = ['AWS4-HMAC-SHA256', signedAt, `${date}/${region}/${service}/aws4_request`, hashed].join('\n');
  const key = [date, region, service, 'aws4_request'].reduce<string | Buffer>(
    (part, value) => createHmac('sha256', part).update(value).digest(),
    `AWS4${secretKey}`,
  );
  const expected = createHmac('sha256', key).update(text).digest();
  const given = Buffer.from(valueOf('Signature'), 'hex');
  if (given.length !== expected.length || !timingSafeEqual(given, expected)) return 'the signature is another one';
  return now > time + 1000 * Number(valueOf('Expires')) ? 'the link has expired' : undefined;
}
