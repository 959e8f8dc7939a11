/** Webhooks in the template: off by default, and with the prop their routes, table, queue and worker. */
import assert from 'node:assert/strict';
import { describe, it } from '@jest/globals';
import { LambdaDeploymentConfig } from 'aws-cdk-lib/aws-codedeploy';
import { mostWebhooks, routes } from '../../lambdas/contract.ts';
import { resourcesOf, synthesize } from './synthesized.ts';

const plain = synthesize();
const withWebhooks = synthesize({ webhooks: true });
type Synthesized = ReturnType<typeof synthesize>;

const sizeOf = ({ template }: Synthesized) => Object.keys(template.toJSON()['Resources'] as object).length;
const text = ({ template }: Synthesized) => JSON.stringify(template.toJSON());

describe('webhooks', () => {
  it('are off by default: no functions, no queue, no table', () => {
    const { functions, work } = plain.stack.service;
    assert.deepEqual(
      [functions.webhooks, functions['webhook-routes'], work.webhook],
      [undefined, undefined, undefined],
    );
    const resources = Object.keys(plain.template.toJSON()['Resources'] as object);
    assert.deepEqual(
      resources.filter((id) => /webhook/i.test(id)),
      [],
    );
    assert.ok(!text(plain).includes('WEBHOOK_'));
  });

  it('come from the prop, with their routes, a table, a queue, a worker and its alarms', () => {
    const { functions, work } = withWebhooks.stack.service;
    assert.ok(functions.webhooks && functions['webhook-routes'] && work.webhook);
    const methods = ({ template }: Synthesized) => resourcesOf(template, 'AWS::ApiGateway::Method').size;
    const own = routes.filter((route) => route.function === 'webhook-routes');
    assert.equal(methods(withWebhooks) - methods(plain), own.length);
    assert.equal(sizeOf(withWebhooks) - sizeOf(plain), 35, 'docs/deploy.md and the prop say some 35');
  });

  it('have room where versions shift traffic, with all features that are on by default', () => {
    const deployment = LambdaDeploymentConfig.CANARY_10PERCENT_5MINUTES;
    const size = sizeOf(synthesize({ deployment, webhooks: true }));
    assert.ok(size <= 500, `${size} resources`);
    assert.equal(size - sizeOf(synthesize({ deployment })), 43, 'docs/deploy.md and the prop say 43');
  });

  it('have a worker for each endpoint that may hang, and more', () => {
    withWebhooks.template.hasResourceProperties('AWS::Lambda::EventSourceMapping', {
      ScalingConfig: { MaximumConcurrency: mostWebhooks + 2 },
      BatchSize: 10,
    });
  });

  it('have an index of the keys of what is due, and forget deliveries', () => {
    withWebhooks.template.hasResourceProperties('AWS::DynamoDB::GlobalTable', {
      TimeToLiveSpecification: { AttributeName: 'ttl', Enabled: true },
      GlobalSecondaryIndexes: [
        {
          IndexName: 'due',
          KeySchema: [
            { AttributeName: 'due', KeyType: 'HASH' },
            { AttributeName: 'dueAt', KeyType: 'RANGE' },
          ],
          Projection: { ProjectionType: 'KEYS_ONLY' },
        },
      ],
    });
  });

  it('can be named by the stack, where their worker may call them', () => {
    const endpoint = { url: 'https://shop.example.com/events', eventTypes: ['wallet.funded'] } as const;
    const { template } = synthesize({ webhooks: { endpoints: [endpoint] } });
    assert.ok(JSON.stringify(template.toJSON()).includes(JSON.stringify(JSON.stringify([endpoint])).slice(1, -1)));
    const wrong: [object, RegExp][] = [
      [{ ...endpoint, url: 'http://shop.example.com' }, /endpoints\[0\]\.url must be an https URL.*http:\/\/shop/],
      [{ ...endpoint, url: 'shop' }, /received "shop"/],
      [{ ...endpoint, eventTypes: ['wallet.fundet'] }, /eventTypes must name types of events, received wallet\.fundet/],
      [{ ...endpoint, eventTypes: [] }, /received none/],
    ];
    for (const [one, message] of wrong) {
      assert.throws(() => synthesize({ webhooks: { endpoints: [one as typeof endpoint] } }), message);
    }
    assert.throws(() => synthesize({ webhooks: { endpoints: [endpoint, endpoint] } }), /one endpoint for each URL/);
    const many = Array.from({ length: 21 }, (_, n) => ({ ...endpoint, url: `https://a.example/${n}` }));
    assert.throws(() => synthesize({ webhooks: { endpoints: many } }), /takes 20 endpoints/);
  });

  it('call public receivers only, unless a prop says that receivers are on the same machine', () => {
    const targets = (synthesized: Synthesized) => [...new Set(text(synthesized).match(/"WEBHOOK_TARGETS":"\w+"/g))];
    assert.deepEqual(targets(withWebhooks), ['"WEBHOOK_TARGETS":"public"']);
    assert.deepEqual(targets(synthesize({ webhooks: {} })), ['"WEBHOOK_TARGETS":"public"']);
    assert.deepEqual(targets(synthesize({ webhooks: { loopback: true } })), ['"WEBHOOK_TARGETS":"loopback"']);
  });
});
