/** Commands that need a second operator, in the template: routes, grants, variables and the relay's filter. */
import { Duration, Token } from 'aws-cdk-lib';
import assert from 'node:assert/strict';
import { describe, it } from '@jest/globals';
import { routes } from '../../lambdas/contract.ts';
import { fourEyesText } from '../../lib/four-eyes.ts';
import { resourcesOf, synthesize } from './synthesized.ts';
import { accessOf } from './table-access.ts';

const plain = synthesize();
const fourEyes = {
  charge: { above: 1_000, byCurrency: { JPY: 0 } },
  refund: { above: 500 },
  resolve: true,
  unfreeze: true,
  limits: true,
} as const;
const commands = ['charge', 'refund', 'resolve', 'unfreeze', 'set-limits'] as const;
const guarded = synthesize({ fourEyes, cors: { allowedOrigins: ['https://app.example.com'] } });
const ofApprovals = ['approve', 'reject', 'get-approval'] as const;

type Synthesized = ReturnType<typeof synthesize>;

function variablesOf({ template, stack }: Synthesized, name: (typeof commands)[number] | 'approve') {
  const {
    'Fn::GetAtt': [id],
  } = stack.resolve(stack.service.functions[name]!.functionArn) as { 'Fn::GetAtt': [string] };
  const { Properties } = resourcesOf(template, 'AWS::Lambda::Function').get(id)!;
  return (Properties['Environment'] as { Variables: Record<string, string> }).Variables;
}

/** Returns the sort keys that the readers of the table's stream get. */
function filtersOf({ template }: Synthesized): string[] {
  return [...resourcesOf(template, 'AWS::Lambda::EventSourceMapping').values()].flatMap(({ Properties }) => {
    const { Filters = [] } = (Properties['FilterCriteria'] ?? {}) as { Filters?: { Pattern: string }[] };
    return Filters.map(({ Pattern }) => Pattern);
  });
}

describe('commands that need a second operator', () => {
  it('are off by default: no routes and functions, and no grant on approvals', () => {
    const { functions } = plain.stack.service;
    for (const name of ofApprovals) assert.equal(functions[name], undefined, name);
    const paths = [...resourcesOf(plain.template, 'AWS::ApiGateway::Resource').values()];
    assert.ok(!paths.some(({ Properties }) => Properties['PathPart'] === 'approvals'));
    assert.ok(!JSON.stringify(plain.template.toJSON()).includes('APPROVAL#'));
    assert.deepEqual(accessOf(plain)('unfreeze'), [
      'GetItem details',
      'GetItem wallet',
      'PutItem transaction',
      'UpdateItem wallet',
    ]);
    for (const name of commands) {
      assert.equal(variablesOf(plain, name)['FOUR_EYES'], '{"expiresAfterMs":86400000}');
    }
  });

  it('come from the prop, with the four routes and answers to preflight requests', () => {
    const methods = ({ template }: Synthesized) => resourcesOf(template, 'AWS::ApiGateway::Method').size;
    const withCors = synthesize({ cors: { allowedOrigins: ['https://app.example.com'] } });
    assert.equal(routes.filter(({ path }) => path.startsWith('/approvals')).length, 4);
    assert.equal(methods(guarded) - methods(withCors), 4 + 4);
    for (const name of commands) {
      assert.deepEqual(JSON.parse(variablesOf(guarded, name)['FOUR_EYES']!), {
        ...fourEyes,
        expiresAfterMs: 86_400_000,
      });
    }
  });

  it('cannot be executed by the role of their own function when they always need one', () => {
    const access = accessOf(guarded);
    assert.deepEqual(access('unfreeze'), [
      'GetItem details',
      'GetItem wallet',
      'PutItem approval',
      'PutItem transaction',
    ]);
    assert.ok(!access('resolve').some((each) => each.startsWith('UpdateItem')));
    // Small charges and refunds and lower limits need no second operator.
    for (const name of ['charge', 'refund', 'set-limits'] as const) {
      assert.ok(access(name).includes('UpdateItem wallet'), name);
      assert.ok(access(name).includes('PutItem approval'), name);
    }
  });

  it('of limits are approved with the tiers that operators give', () => {
    const tiers = { basic: { out: { perDay: 5 } } };
    const tiered = synthesize({ fourEyes, tiers });
    for (const name of ['set-limits', 'approve'] as const) {
      assert.deepEqual(JSON.parse(variablesOf(tiered, name)['TIERS']!), tiers);
    }
  });

  it('have events: the relay gets the changes of approvals, and the projector does not', () => {
    const [moneyOnly, withApprovals] = ['"WALLET","TX"]', '"WALLET","TX","APPROVAL","ORDER"]'];
    const count = (all: readonly string[], text: string) => all.filter((pattern) => pattern.includes(text)).length;
    for (const filters of [filtersOf(plain), filtersOf(guarded)]) {
      assert.deepEqual([count(filters, moneyOnly), count(filters, withApprovals)], [1, 1]);
    }
  });

  it('keep their routes when none is guarded any more, so that those that were asked for can be ended', () => {
    const { functions } = synthesize({ fourEyes: {} }).stack.service;
    for (const name of ofApprovals) assert.ok(functions[name], name);
  });

  it('are rejected at synthesis when they are invalid, with the value received', () => {
    const refuses = (options: object, message: RegExp) => {
      assert.throws(() => fourEyesText(options), message);
    };
    refuses({ charge: { above: -1 } }, /fourEyes.charge.above must be a whole number of at least 0, received -1/);
    refuses({ charge: { above: 1.5 } }, /fourEyes.charge.above must be .* received 1.5/);
    refuses({ charge: {} }, /fourEyes.charge.above must be given/);
    refuses({ charge: { above: 1, byCurrency: { eur: 1 } } }, /three capital letters, received "eur"/);
    refuses({ charge: { above: 1, byCurrency: { EUR: 1.5 } } }, /byCurrency.EUR must be .* received 1.5/);
    refuses({ refund: {} }, /fourEyes.refund.above must be given/);
    refuses({ refund: { above: 1, byCurrency: { EUR: -1 } } }, /fourEyes.refund.byCurrency.EUR must be .* received -1/);
    refuses({ limits: false }, /fourEyes.limits must be true or left out, received false/);
    refuses({ resolve: false }, /fourEyes.resolve must be true or left out, received false/);
    refuses({ transfer: true }, /fourEyes.transfer is no command .*, received true/);
    for (const wrong of [Duration.minutes(4), Duration.days(8)]) {
      refuses({ expiresAfter: wrong }, /fourEyes.expiresAfter must be from 5 minutes to 7 days, received/);
    }
    refuses({ expiresAfter: Duration.minutes(Token.asNumber({ Ref: 'Minutes' })) }, /known at synthesis/);
    for (const right of [Duration.minutes(5), Duration.days(7)]) fourEyesText({ expiresAfter: right });
    assert.throws(() => synthesize({ fourEyes: { expiresAfter: Duration.minutes(4) } }), /from 5 minutes/);
  });
});
