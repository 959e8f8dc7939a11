/**
 * S3: a bucket here is a folder, with an endpoint for functions and for links. What S3 itself enforces (object lock, encryption,
 * expiry, the permissions of functions) it cannot.
 */
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { resourceType } from '../machine/machine.ts';
import type { Service } from '../machine/machine.ts';
import { listen } from '../http/server.ts';
import { openObjectFolders } from './object-folders.ts';
import { serveObjects } from './object-server.ts';

export interface Buckets {
  /** Folder with one folder for each bucket. */
  readonly folder: string;
  create(name: string): void;
}

export const s3: Service<Buckets> = {
  async open({ data, environment, progress, shutdown }) {
    const folder = data.subfolder('buckets');
    const server = await listen(0);
    server.open(serveObjects(openObjectFolders(folder), () => environment['AWS_SECRET_ACCESS_KEY'] ?? ''));
    shutdown.add(() => server.close());
    environment['AWS_ENDPOINT_URL_S3'] = server.url;
    let isSaid = false;
    return {
      folder,
      create(name) {
        mkdirSync(join(folder, name), { recursive: true });
        if (!isSaid) progress(`buckets are folders here (${folder}): object lock holds in the cloud only`);
        isSaid = true;
      },
    };
  },
  types: {
    'AWS::S3::Bucket': resourceType({
      shape: {
        AccessControl: 'cloud',
        BucketEncryption: 'cloud',
        LifecycleConfiguration: 'cloud',
        LoggingConfiguration: 'cloud',
        // No event of S3 arrives here.
        NotificationConfiguration: 'cloud',
        ObjectLockConfiguration: 'cloud',
        ObjectLockEnabled: 'cloud',
        OwnershipControls: 'cloud',
        PublicAccessBlockConfiguration: 'cloud',
        Tags: 'cloud',
        VersioningConfiguration: 'cloud',
      },
      identify(logicalId, { name }) {
        const bucket = name(logicalId).toLowerCase();
        return { ref: bucket, attributes: { Arn: `arn:aws:s3:::${bucket}` } };
      },
      boot(machine, { identity }) {
        machine.use(s3).create(identity.ref);
      },
    }),
  },
  cloudOnly: ['AWS::S3::BucketPolicy'],
};
