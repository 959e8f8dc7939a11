import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from '@jest/globals';
import { environments, routes, serviceVariable } from '../../lambdas/contract.ts';
import type { FunctionName } from '../../lambdas/contract.ts';
import { codeFile } from '../../lib/bundle-files.ts';
import { bundleOf } from '../../lib/bundle.ts';
import { resourcesOf, roleOf, statementsOf, synthesize } from './synthesized.ts';
import { accessOf } from './table-access.ts';

const { template, stack } = synthesize({
  fourEyes: {},
  batches: true,
  console: {},
  bankFiles: {},
  webhooks: true,
  statementFiles: true,
});
const names = Object.keys(environments) as FunctionName[];
const lambdas = resourcesOf(template, 'AWS::Lambda::Function');

function propertiesOf(name: FunctionName): Record<string, unknown> {
  const {
    'Fn::GetAtt': [logicalId],
  } = stack.resolve(stack.service.functions[name]?.functionArn) as {
    'Fn::GetAtt': [string, string];
  };
  return lambdas.get(logicalId)!.Properties;
}

/** Returns the permissions of a function: `action` on each resource, resources as JSON. */
function permissionsOf(name: FunctionName): { action: string; resource: string }[] {
  return statementsOf(template, roleOf(propertiesOf(name))).flatMap(({ Action, Resource }) =>
    [Action]
      .flat()
      .flatMap((action) => [Resource].flat().map((resource) => ({ action, resource: JSON.stringify(resource) }))),
  );
}

function actionsOf(name: FunctionName, service: string): string[] {
  const mine = permissionsOf(name).filter(({ action }) => action.startsWith(`${service}:`));
  return [...new Set(mine.map(({ action }) => action.slice(service.length + 1)))].sort();
}

/** Operations that the SDK can call to find endpoints; in Lambda it gets them from the environment. */
const ofTheSdk = new Set(['DescribeEndpoints']);

/** Returns the AWS operations that a function's bundle can call. Bundling leaves out the rest of the SDK. */
function operationsIn(name: FunctionName): Set<string> {
  const code = readFileSync(join(bundleOf(name), codeFile), 'utf8');
  const calls = code.matchAll(/extends [\w$]+\([^()]*,"(\w+)",[^()]*\)\{\}/g);
  return new Set([...calls].flatMap(([, operation]) => (ofTheSdk.has(operation!) ? [] : operation!)));
}

const writes = [
  'BatchWriteItem',
  'DeleteItem',
  'PutItem',
  'UpdateItem',
  'PartiQLInsert',
  'PartiQLUpdate',
  'PartiQLDelete',
];

describe('functions', () => {
  it('exist once for each name of the contract, on the measured runtime and architecture', () => {
    assert.equal(lambdas.size, names.length);
    for (const name of names) {
      const properties = propertiesOf(name);
      assert.equal(properties['Runtime'], 'nodejs24.x');
      assert.deepEqual(properties['Architectures'], ['arm64']);
      assert.deepEqual(properties['TracingConfig'], { Mode: 'Active' });
    }
  });

  it('get the environment of the contract and nothing else', () => {
    for (const name of names) {
      const { Variables } = propertiesOf(name)['Environment'] as { Variables: Record<string, unknown> };
      assert.deepEqual(Object.keys(Variables).sort(), [...environments[name], serviceVariable].sort(), name);
    }
  });

  it('read source maps only when a prop says so', () => {
    const withMaps = resourcesOf(synthesize({ sourceMaps: true }).template, 'AWS::Lambda::Function');
    for (const { Properties } of withMaps.values()) {
      if (!String(Properties['Description']).startsWith('Wallet service: ')) continue;
      const { Variables } = Properties['Environment'] as { Variables: Record<string, string> };
      assert.equal(Variables['NODE_OPTIONS'], '--enable-source-maps');
    }
  });

  it('answer before the gateway gives up', () => {
    // Functions that may wait for the end of the work, or check thousands of lines, get all of the gateway's time.
    const waiting: FunctionName[] = ['withdraw', 'transfer', 'create-batch', 'statements'];
    for (const { function: name } of routes) {
      assert.equal(propertiesOf(name)['Timeout'], waiting.includes(name) ? 29 : 10, name);
    }
  });
});

describe('grants', () => {
  it('are part of the roles, as a policy resource for each would take the room of a thirteenth of a stack', () => {
    const roles = new Set(names.map((name) => roleOf(propertiesOf(name))));
    assert.equal(roles.size, names.length);
    const attached = [...resourcesOf(template, 'AWS::IAM::Policy').values()].flatMap(
      ({ Properties }) => Properties['Roles'] as { Ref: string }[],
    );
    assert.deepEqual(
      attached.filter(({ Ref }) => roles.has(Ref)),
      [],
    );
  });

  it('permit a reading function to read only, apart from its rate windows, and the authorizer to record the issuer', () => {
    const commands = new Set<FunctionName>(
      routes.filter(({ method }) => ['POST', 'PUT', 'PATCH'].includes(method)).map(({ function: name }) => name),
    );
    const readers = routes.map(({ function: name }) => name).filter((name) => !commands.has(name));
    assert.ok(readers.length >= 7);
    const expected = (name: FunctionName) => {
      if (name === 'authorizer') return ['PutItem'];
      return (environments[name] as readonly string[]).includes('READS_PER_HOUR') ? ['UpdateItem'] : [];
    };
    for (const name of [...readers, 'authorizer'] as const) {
      const granted = actionsOf(name, 'dynamodb');
      assert.deepEqual(
        granted.filter((action) => writes.includes(action)),
        expected(name),
        name,
      );
      assert.deepEqual(
        actionsOf(name, 'sqs').filter((action) => action !== 'GetQueueAttributes'),
        [],
        name,
      );
    }
  });

  // Send and delay share one object (lambdas/aws/queue.ts), of which each function uses one half.
  const bundledButNotCalled: Partial<Record<FunctionName, string>> = {
    withdraw: 'ChangeMessageVisibility',
    'webhook-routes': 'ChangeMessageVisibility',
    'statement-files': 'ChangeMessageVisibility',
    transfer: 'ChangeMessageVisibility',
    sweeper: 'ChangeMessageVisibility',
    'create-batch': 'ChangeMessageVisibility',
    withdrawals: 'SendMessage',
    transfers: 'SendMessage',
    notifier: 'SendMessage',
    fraud: 'SendMessage',
    'bank-files': 'SendMessage',
    relay: 'ChangeMessageVisibility',
    projector: 'ChangeMessageVisibility',
  };
  // Operations with several parts are authorised by the actions of their parts.
  const partsOf = (operation: string, name: FunctionName): string[] => {
    if (operation === 'SendMessageBatch') return ['SendMessage'];
    if (operation === 'PublishBatch') return ['Publish'];
    if (operation === 'BatchExecuteStatement') return ['PartiQLInsert'];
    if (operation !== 'TransactWriteItems') return [operation];
    if (name === 'transfers') return ['UpdateItem'];
    if (name === 'create-batch') return ['PutItem'];
    const isChecking = ['reject', 'split', 'change-wallet'].includes(name);
    return ['PutItem', 'UpdateItem', ...(isChecking ? ['ConditionCheckItem'] : [])];
  };

  // The event source makes these calls with the worker's role.
  const ofQueue = ['ChangeMessageVisibility', 'DeleteMessage', 'GetQueueAttributes', 'GetQueueUrl', 'ReceiveMessage'];
  const ofStream = ['DescribeStream', 'GetRecords', 'GetShardIterator', 'ListStreams'];
  const polledBy: Partial<Record<FunctionName, readonly string[]>> = {
    withdrawals: ofQueue,
    transfers: ofQueue,
    batches: ofQueue,
    'bank-files': ofQueue,
    notifier: ofQueue,
    fraud: ofQueue,
    webhooks: ofQueue,
    'statement-writer': ofQueue,
    relay: ofStream,
    projector: ofStream,
  };

  it("equal the calls of each function's bundle", () => {
    for (const name of names) {
      const called = [...operationsIn(name)].flatMap((operation) => partsOf(operation, name));
      const granted = ['dynamodb', 'sqs', 'sns', 'events', 'secretsmanager'].flatMap((service) =>
        actionsOf(name, service),
      );
      const expected = new Set(called.filter((operation) => operation !== bundledButNotCalled[name]));
      for (const action of polledBy[name] ?? []) expected.add(action);
      assert.deepEqual(granted.sort(), [...expected].sort(), name);
    }
    assert.ok(operationsIn('charge').has('TransactWriteItems'), 'bundles are read in the wrong way');
  });

  it('name the types of item that a function may write', () => {
    const granted = accessOf({ template, stack });
    const record = ['PutItem transaction'];
    const referring = ['PutItem reference', ...record];
    const ending = ['PutItem transaction', 'UpdateItem transaction', 'UpdateItem wallet'];
    const expected: Partial<Record<FunctionName, string[]>> = {
      authorizer: ['PutItem issuer'],
      'create-wallet': [
        ...['PutItem details', 'PutItem ownedWallet', 'PutItem transaction', 'PutItem wallet'],
        'UpdateItem rateWindow',
      ],
      'change-wallet': [
        ...['PutItem alias', 'PutItem details', 'PutItem transaction'],
        ...['UpdateItem rateWindow', 'UpdateItem takenAliases', 'UpdateItem wallet'],
      ],
      charge: [...referring, 'UpdateItem wallet'],
      withdraw: [...referring, 'UpdateItem rateWindow', 'UpdateItem wallet'],
      transfer: [...referring, 'UpdateItem rateWindow', 'UpdateItem wallet'],
      freeze: [...record, 'UpdateItem wallet'],
      unfreeze: [...record, 'UpdateItem wallet'],
      close: [...record, 'UpdateItem wallet'],
      'set-limits': [...record, 'UpdateItem wallet'],
      resolve: ending,
      approve: [...referring, 'UpdateItem approval', 'UpdateItem transaction', 'UpdateItem wallet'],
      reject: [...record, 'UpdateItem approval'],
      cancel: [...record, 'UpdateItem rateWindow', 'UpdateItem transaction', 'UpdateItem wallet'],
      'open-hold': [...referring, 'UpdateItem rateWindow', 'UpdateItem wallet'],
      capture: [...referring, 'UpdateItem rateWindow', 'UpdateItem transaction', 'UpdateItem wallet'],
      release: [...record, 'UpdateItem rateWindow', 'UpdateItem transaction', 'UpdateItem wallet'],
      refund: [...referring, 'UpdateItem rateWindow', 'UpdateItem transaction', 'UpdateItem wallet'],
      split: [...referring, 'UpdateItem rateWindow', 'UpdateItem wallet'],
      'standing-orders': [
        ...['PutItem standingOrder', 'PutItem transaction', 'UpdateItem rateWindow'],
        ...['UpdateItem standingOrder', 'UpdateItem transaction', 'UpdateItem wallet'],
      ],
      'bank-notifications': ending,
      'create-batch': ['PutItem batch', ...record],
      batches: ['PutItem batch', ...referring, 'UpdateItem batch', 'UpdateItem wallet'],
      'notification-preferences': ['PutItem preferences', 'UpdateItem rateWindow'],
      withdrawals: ['PutItem breaker', 'UpdateItem transaction', 'UpdateItem wallet'],
      transfers: ['UpdateItem transaction', 'UpdateItem wallet'],
      sweeper: [
        'PutItem transaction',
        'UpdateItem batch',
        'UpdateItem standingOrder',
        'UpdateItem transaction',
        'UpdateItem wallet',
      ],
      fraud: ['PutItem activity', 'PutItem transaction', 'UpdateItem wallet'],
      notifier: ['PutItem notification'],
      'webhook-routes': ['PutItem delivery', 'PutItem webhook', 'UpdateItem webhook'],
      webhooks: ['PutItem delivery', 'PutItem webhook', 'UpdateItem delivery', 'UpdateItem webhook'],
      'statement-files': ['PutItem statement', 'UpdateItem rateWindow', 'UpdateItem statement'],
      'statement-writer': ['UpdateItem statement'],
      projector: ['PartiQLInsert entry', 'PutItem booking', 'PutItem journal', 'UpdateItem total'],
      'integrity-job': ['PutItem pass'],
    };
    for (const name of names) {
      const writing = granted(name).filter((access) => writes.includes(access.split(' ')[0]!));
      const isReader = expected[name] === undefined;
      const counts = (environments[name] as readonly string[]).includes('READS_PER_HOUR');
      assert.deepEqual(writing, isReader && counts ? ['UpdateItem rateWindow'] : (expected[name] ?? []), name);
    }
  });

  it('permit only the check of the books, and that of bank files, to read items of every type', () => {
    const granted = accessOf({ template, stack });
    const all = names.flatMap((name) =>
      granted(name).flatMap((access) => (access.endsWith(' everything') ? [`${name}: ${access}`] : [])),
    );
    assert.deepEqual(all, [
      'integrity-job: DescribeTable everything',
      'integrity-job: Scan everything',
      'bank-files: Scan everything',
    ]);
  });

  it('name indexes where a function queries them and nowhere else', () => {
    for (const name of names) {
      const queried = permissionsOf(name).flatMap(({ resource }) => /\/index\/(\w+|\*)/.exec(resource)?.[1] ?? []);
      const expected: Partial<Record<FunctionName, string[]>> = {
        'list-transactions': ['byCounterparty', 'byReference', 'byWallet', 'due'],
        statements: ['byCounterparty', 'byWallet'],
        'statement-writer': ['byCounterparty', 'byWallet'],
        close: ['byWallet'],
        'standing-orders': ['byWallet'],
        health: ['due'],
        'get-approval': ['due'],
        sweeper: ['due'],
        webhooks: ['due'],
        'integrity-job': ['byCounterparty', 'byWallet'],
      };
      assert.deepEqual(queried.sort(), expected[name] ?? [], name);
    }
  });

  it('have no wildcard but for X-Ray, which takes no resource, and the objects of a folder', () => {
    for (const name of names) {
      for (const { action, resource } of permissionsOf(name)) {
        assert.ok(!action.includes('*'), `${name}: ${action}`);
        if (resource === '"*"') {
          assert.match(action, /^xray:Put(TraceSegments|TelemetryRecords)$/, name);
        }
        // The objects of one folder of one bucket.
        else if (action.startsWith('s3:')) {
          assert.match(
            resource,
            /BankFilesBucket.*"\/(?:incoming|reports)\/\*"|StatementFilesBucket.*"\/(?:files|first)\/\*"|^[^*]*$/,
            name,
          );
        } else {
          assert.ok(!resource.includes('*'), `${name}: ${action} on ${resource}`);
        }
      }
    }
  });
});
