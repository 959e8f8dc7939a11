/** The resource types of S3 and of Firehose, which writes into it. */
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { openDeliveryStream } from '../firehose/delivery-streams.ts';
import { resourceType } from './machine.ts';
import type { ResourceType } from './machine.ts';

interface DeliveryStreamProperties {
  readonly ExtendedS3DestinationConfiguration: {
    readonly BucketARN: string;
    readonly BufferingHints?: { readonly IntervalInSeconds?: number; readonly SizeInMBs?: number };
    readonly CompressionFormat?: string;
    readonly FileExtension?: string;
    readonly Prefix?: string;
    readonly ProcessingConfiguration?: {
      readonly Enabled?: boolean;
      readonly Processors?: readonly {
        readonly Parameters?: readonly { readonly ParameterName: string; readonly ParameterValue: string }[];
      }[];
    };
  };
}

const megabyte = 1024 * 1024;

export const storageTypes: Record<string, ResourceType> = {
  'AWS::S3::Bucket': resourceType({
    // A bucket here is a folder. What S3 itself enforces (object lock, encryption, who may read) it cannot.
    shape: {
      AccessControl: 'cloud',
      BucketEncryption: 'cloud',
      LifecycleConfiguration: 'cloud',
      LoggingConfiguration: 'cloud',
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
    boot({ bucketsFolder }, { identity }) {
      mkdirSync(join(bucketsFolder, identity.ref), { recursive: true });
    },
  }),
  'AWS::KinesisFirehose::DeliveryStream': resourceType<DeliveryStreamProperties>({
    shape: {
      DeliveryStreamEncryptionConfigurationInput: 'cloud',
      DeliveryStreamType: { only: ['DirectPut'] },
      ExtendedS3DestinationConfiguration: {
        BucketARN: true,
        BufferingHints: { IntervalInSeconds: true, SizeInMBs: true },
        CloudWatchLoggingOptions: 'cloud',
        CompressionFormat: { only: ['UNCOMPRESSED', 'GZIP'] },
        CustomTimeZone: { only: ['UTC'] },
        EncryptionConfiguration: 'cloud',
        ErrorOutputPrefix: 'cloud',
        FileExtension: true,
        Prefix: true,
        ProcessingConfiguration: {
          Enabled: true,
          Processors: [{ Parameters: true, Type: { only: ['AppendDelimiterToRecord'] } }],
        },
        RoleARN: 'cloud',
        S3BackupMode: { only: ['Disabled'] },
      },
      Tags: 'cloud',
    },
    identify: (logicalId, { name, arn }) => {
      const streamName = name(logicalId).slice(-64);
      return { ref: streamName, attributes: { Arn: arn('firehose', `deliverystream/${streamName}`) } };
    },
    boot({ store, bucketsFolder, deliveryStreams, onStop }, { identity, properties }) {
      const s3 = properties.ExtendedS3DestinationConfiguration;
      const processing = s3.ProcessingConfiguration;
      const delimits = processing?.Enabled !== false && (processing?.Processors ?? []).length > 0;
      const delimiter = processing?.Processors?.[0]?.Parameters?.find((each) => each.ParameterName === 'Delimiter');
      const stream = openDeliveryStream(store, {
        name: identity.ref,
        folder: join(bucketsFolder, s3.BucketARN.split(':').at(-1) ?? ''),
        prefix: s3.Prefix ?? '',
        extension: s3.FileExtension ?? '',
        gzip: s3.CompressionFormat === 'GZIP',
        delimiter: delimits ? (delimiter?.ParameterValue ?? '\\n').replaceAll('\\n', '\n') : '',
        intervalSeconds: s3.BufferingHints?.IntervalInSeconds ?? 300,
        maxBytes: (s3.BufferingHints?.SizeInMBs ?? 5) * megabyte,
      });
      deliveryStreams.set(identity.attributes['Arn'] ?? '', stream);
      onStop(stream);
    },
  }),
};
