/** Links to objects of the runner: signed by the service's own client, and checked as S3 checks them. */
import assert from 'node:assert/strict';
import { describe, it } from '@jest/globals';
import { openObjects } from '../../lambdas/aws/objects.ts';
import { defectOfLink } from '../../local/s3/link-signature.ts';

const names = ['AWS_REGION', 'AWS_ENDPOINT_URL_S3', 'AWS_ACCESS_KEY_ID', 'AWS_SECRET_ACCESS_KEY'] as const;

/** Returns a link of five minutes to an object of the bucket `files`. */
async function newLink(): Promise<URL> {
  const before = names.map((name) => process.env[name]);
  const values = ['eu-west-1', 'http://127.0.0.1:9', 'id', 'key'];
  for (const [index, name] of names.entries()) process.env[name] = values[index];
  try {
    return new URL(await openObjects('files').linkTo('files/März (1).csv', 300));
  } finally {
    for (const [index, name] of names.entries()) {
      const value = before[index];
      if (value === undefined) Reflect.deleteProperty(process.env, name);
      else process.env[name] = value;
    }
  }
}

const defectOf = ({ host, href, origin }: URL, now = Date.now(), secret = 'key') =>
  defectOfLink({ method: 'GET', host, url: href.slice(origin.length) }, secret, now);

describe('a link to an object', () => {
  it('opens that object for five minutes', async () => {
    const link = await newLink();
    assert.equal(link.pathname, '/files/files/M%C3%A4rz%20%281%29.csv');
    assert.equal(defectOf(link), undefined);
    assert.equal(defectOf(link, Date.now() + 290_000), undefined);
    assert.equal(defectOf(link, Date.now() + 302_000), 'the link has expired');
  });

  it('opens nothing when a part of it is changed', async () => {
    const link = await newLink();
    const other = 'the signature is another one';
    assert.equal(defectOf(new URL(link.href.replace('.csv', '.xml'))), other);
    assert.equal(defectOf(new URL(link.href.replace('Expires=300', 'Expires=3000'))), other);
    assert.equal(defectOf(new URL(link.href.replace(/Signature=\w+/, 'Signature='))), other);
    assert.equal(defectOf(link, Date.now(), 'another key'), other);
    assert.match(String(defectOf(new URL(`${link.origin}${link.pathname}`))), /not signed/);
  });
});
