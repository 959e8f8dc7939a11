/** S3: a bucket here is a folder. What S3 itself enforces (object lock, encryption, who may read) it cannot. */
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { resourceType } from '../machine/machine.ts';
import type { Service } from '../machine/machine.ts';

export interface Buckets {
  /** Folder with one folder for each bucket. */
  readonly folder: string;
  create(name: string): void;
}

export const s3: Service<Buckets> = {
  open({ data, progress }) {
    const folder = data.subfolder('buckets');
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
        // No object arrives here: functions reach no bucket.
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
