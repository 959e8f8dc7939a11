/** Batches in the template: off by default, and with the prop their routes, queue and worker. */
import assert from 'node:assert/strict';
import { describe, it } from '@jest/globals';
import { routes } from '../../lambdas/contract.ts';
import { resourcesOf, synthesize } from './synthesized.ts';
import { accessOf } from './table-access.ts';

const plain = synthesize();
const withBatches = synthesize({ batches: true });
const ofBatches = ['create-batch', 'get-batch', 'batches'] as const;

type Synthesized = ReturnType<typeof synthesize>;

function variablesOf({ template, stack }: Synthesized, name: 'sweeper' | 'batches'): Record<string, unknown> {
  const {
    'Fn::GetAtt': [id],
  } = stack.resolve(stack.service.functions[name]?.functionArn) as { 'Fn::GetAtt': [string] };
  const { Properties } = resourcesOf(template, 'AWS::Lambda::Function').get(id)!;
  return (Properties['Environment'] as { Variables: Record<string, unknown> }).Variables;
}

const sizeOf = ({ template }: Synthesized) => Object.keys(template.toJSON()['Resources'] as object).length;

describe('batches', () => {
  it('are off by default: no functions, no queue, and no grant on batches', () => {
    const { functions, work } = plain.stack.service;
    for (const name of ofBatches) assert.equal(functions[name], undefined, name);
    assert.equal(work.batch, undefined);
    assert.ok(!JSON.stringify(plain.template.toJSON()).includes('BATCH#'));
    assert.equal(variablesOf(plain, 'sweeper')['BATCH_QUEUE_URL'], 'none');
  });

  it('come from the prop, with their routes, a queue, a worker and its alarms', () => {
    const { functions, work } = withBatches.stack.service;
    for (const name of ofBatches) assert.ok(functions[name], name);
    assert.ok(work.batch);
    const methods = ({ template }: Synthesized) => resourcesOf(template, 'AWS::ApiGateway::Method').size;
    assert.equal(
      methods(withBatches) - methods(plain),
      routes.filter(({ path }) => path.startsWith('/batches')).length,
    );
    assert.notEqual(variablesOf(withBatches, 'sweeper')['BATCH_QUEUE_URL'], 'none');
    const more = sizeOf(withBatches) - sizeOf(plain);
    assert.equal(more, 25, 'docs/deploy.md and the prop say some 25');
  });

  it('move money by their worker only: the route stores lines, and the sweeper sends messages', () => {
    const access = accessOf(withBatches);
    assert.deepEqual(access('create-batch'), ['GetItem batch', 'PutItem batch', 'PutItem transaction']);
    assert.deepEqual(access('batches'), [
      'BatchGetItem alias',
      'BatchGetItem transaction',
      'GetItem batch',
      'PutItem batch',
      'PutItem reference',
      'PutItem transaction',
      'UpdateItem batch',
      'UpdateItem wallet',
    ]);
  });
});
