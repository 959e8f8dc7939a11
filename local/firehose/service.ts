/** Firehose: delivery streams that write into buckets, by ARN. */
import { join } from 'node:path';
import { resourceType } from '../machine/machine.ts';
import type { Service } from '../machine/machine.ts';
import { s3 } from '../s3/service.ts';
import { openDeliveryStream } from './delivery-streams.ts';
import type { DeliveryStream } from './delivery-streams.ts';

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

export const firehose: Service<Map<string, DeliveryStream>> = {
  open: () => new Map(),
  types: {
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
      boot(machine, { identity, properties }) {
        const destination = properties.ExtendedS3DestinationConfiguration;
        const processing = destination.ProcessingConfiguration;
        const delimits = processing?.Enabled !== false && (processing?.Processors ?? []).length > 0;
        const delimiter = processing?.Processors?.[0]?.Parameters?.find((each) => each.ParameterName === 'Delimiter');
        const stream = openDeliveryStream(machine.data.store, {
          name: identity.ref,
          folder: join(machine.use(s3).folder, destination.BucketARN.split(':').at(-1) ?? ''),
          prefix: destination.Prefix ?? '',
          extension: destination.FileExtension ?? '',
          gzip: destination.CompressionFormat === 'GZIP',
          delimiter: delimits ? (delimiter?.ParameterValue ?? '\\n').replaceAll('\\n', '\n') : '',
          intervalSeconds: destination.BufferingHints?.IntervalInSeconds ?? 300,
          maxBytes: (destination.BufferingHints?.SizeInMBs ?? 5) * megabyte,
        });
        machine.use(firehose).set(identity.attributes['Arn'] ?? '', stream);
        machine.shutdown.addDraining(() => stream.stop());
      },
    }),
  },
};
