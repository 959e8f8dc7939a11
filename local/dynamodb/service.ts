/** DynamoDB: tables in an engine of its own process, and their streams. */
import type {
  AttributeDefinition,
  GlobalSecondaryIndex,
  KeySchemaElement,
  StreamViewType,
  TimeToLiveSpecification,
} from '@aws-sdk/client-dynamodb';
import { region } from '../cloudformation/account.ts';
import type { Identity } from '../cloudformation/template.ts';
import { resourceType } from '../machine/machine.ts';
import type { BootResource, Machine, Naming, Service } from '../machine/machine.ts';
import { ensureTable, localCredentials, startEngine } from './dynamodb.ts';
import type { Engine, TableSettings } from './dynamodb.ts';
import { createTableStreams } from './stream-sharing.ts';
import type { TableStreams } from './stream-sharing.ts';

export interface DynamoDb {
  readonly engine: Engine;
  readonly streams: TableStreams;
}

/** The properties of a table that the runner reads. */
export interface TableProperties {
  readonly AttributeDefinitions: AttributeDefinition[];
  readonly KeySchema: KeySchemaElement[];
  readonly GlobalSecondaryIndexes?: GlobalSecondaryIndex[];
  readonly StreamSpecification?: { readonly StreamViewType: StreamViewType };
  readonly TimeToLiveSpecification?: TimeToLiveSpecification;
}

const identifyTable = (logicalId: string, { name, arn }: Naming): Identity => {
  const tableArn = arn('dynamodb', `table/${name(logicalId)}`);
  return { ref: name(logicalId), attributes: { Arn: tableArn, StreamArn: `${tableArn}/stream/local` } };
};

const tableShape = {
  AttributeDefinitions: true,
  BillingMode: { only: ['PAY_PER_REQUEST'] },
  GlobalSecondaryIndexes: [{ IndexName: true, KeySchema: true, Projection: true }],
  KeySchema: true,
  StreamSpecification: { StreamViewType: true },
  TimeToLiveSpecification: { AttributeName: true, Enabled: true },
  SSESpecification: 'cloud',
  Tags: 'cloud',
} as const;

/** Returns the table that a template's resource describes, in the form of CreateTable. */
export function tableSettings(name: string, properties: TableProperties): TableSettings {
  const { AttributeDefinitions, KeySchema, GlobalSecondaryIndexes, StreamSpecification } = properties;
  return {
    create: {
      TableName: name,
      BillingMode: 'PAY_PER_REQUEST',
      AttributeDefinitions,
      KeySchema,
      GlobalSecondaryIndexes,
      StreamSpecification: StreamSpecification && { StreamEnabled: true, ...StreamSpecification },
    },
    timeToLive: properties.TimeToLiveSpecification,
  };
}

async function bootTable(machine: Machine, { identity, properties }: BootResource<TableProperties>): Promise<void> {
  await ensureTable(machine.use(dynamoDb).engine.endpoint, region, tableSettings(identity.ref, properties));
}

export const dynamoDb: Service<DynamoDb> = {
  async open({ data, environment, progress, shutdown }) {
    progress('starting the DynamoDB engine');
    const engine = await startEngine(data.path('dynamodb.sqlite'));
    shutdown.add(() => engine.stop());
    environment['AWS_ACCESS_KEY_ID'] = localCredentials.accessKeyId;
    environment['AWS_SECRET_ACCESS_KEY'] = localCredentials.secretAccessKey;
    environment['AWS_ENDPOINT_URL_DYNAMODB'] = engine.endpoint;
    return { engine, streams: createTableStreams(engine.endpoint) };
  },
  types: {
    'AWS::DynamoDB::GlobalTable': resourceType<TableProperties>({
      // Every table of this machine is in one region, so the settings of a replica have no effect here.
      shape: { ...tableShape, Replicas: 'cloud' },
      identify: identifyTable,
      boot: bootTable,
    }),
    'AWS::DynamoDB::Table': resourceType<TableProperties>({
      shape: { ...tableShape, DeletionProtectionEnabled: 'cloud', PointInTimeRecoverySpecification: 'cloud' },
      identify: identifyTable,
      boot: bootTable,
    }),
  },
};
