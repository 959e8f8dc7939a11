/** The template for an emulator: that of the normal stack, but for exactly these differences. */
import { Aspects } from 'aws-cdk-lib';
import { Template } from 'aws-cdk-lib/assertions';
import assert from 'node:assert/strict';
import { describe, it } from '@jest/globals';
import { newApp } from '../../lib/app.ts';
import { EmulatorGaps } from '../../lib/emulator-gaps.ts';
import { WalletStack } from '../../lib/wallet-stack.ts';
import { synthesize } from './synthesized.ts';

interface Json {
  readonly Parameters: { readonly BankUrl: Record<string, unknown> };
  readonly Resources: Readonly<Record<string, { readonly Type: string; readonly Properties: Record<string, unknown> }>>;
}

const normal = synthesize().template.toJSON() as Json;

function forEmulator(bankHost?: string): Json {
  const stack = new WalletStack(newApp({ builtinCloudFormationValidation: false }), 'Wallet');
  Aspects.of(stack).add(new EmulatorGaps(bankHost));
  return Template.fromStack(stack).toJSON() as Json;
}

/** Returns a template without these resources. */
function without(template: Json, logicalIds: readonly string[]): Json {
  const kept = Object.entries(template.Resources).filter(([id]) => !logicalIds.includes(id));
  return { ...template, Resources: Object.fromEntries(kept) };
}

describe('the template for an emulator', () => {
  const given = forEmulator();
  const missing = Object.keys(normal.Resources).filter((id) => !(id in given.Resources));

  it('lacks the archive, saved queries, the place of the web ACL, alarms on metric math or other alarms, and the dashboard', () => {
    assert.deepEqual([...new Set(missing.map((id) => normal.Resources[id]?.Type))].sort(), [
      'AWS::CloudWatch::Alarm',
      'AWS::CloudWatch::CompositeAlarm',
      'AWS::CloudWatch::Dashboard',
      'AWS::Events::Archive',
      'AWS::Logs::QueryDefinition',
      'AWS::WAFv2::WebACLAssociation',
    ]);
    const alarms = missing.filter((id) => normal.Resources[id]?.Type === 'AWS::CloudWatch::Alarm');
    for (const id of alarms) assert.ok('Metrics' in normal.Resources[id]!.Properties, id);
  });

  it('names nothing that it lacks', () => {
    const text = JSON.stringify(given);
    assert.deepEqual(
      missing.filter((id) => text.includes(`"${id}"`)),
      [],
    );
  });

  it('has all else as the normal template has it', () => {
    assert.deepEqual(given, without(normal, missing));
  });

  it('names a host of the bank for http in two functions and in the parameter, and nowhere else', () => {
    const named = forEmulator('host.docker.internal');
    const changed = Object.keys(given.Resources).filter(
      (id) => JSON.stringify(named.Resources[id]) !== JSON.stringify(given.Resources[id]),
    );
    const functions = changed.map((id) => {
      const { Description, Environment } = named.Resources[id]!.Properties;
      const { Variables } = Environment as { Variables: Record<string, string> };
      assert.equal(Variables['BANK_PLAIN_HOST'], 'host.docker.internal');
      return Description;
    });
    assert.deepEqual(functions.sort(), ['Wallet service: integrity-job', 'Wallet service: withdrawals']);
    assert.deepEqual(
      { ...named, Resources: {}, Parameters: { ...named.Parameters, BankUrl: undefined } },
      { ...given, Resources: {}, Parameters: { ...given.Parameters, BankUrl: undefined } },
    );
    const accepts = ({ Parameters }: Json, url: string) =>
      new RegExp(`^(?:${String(Parameters.BankUrl['AllowedPattern'])})$`).test(url);
    assert.ok(accepts(named, 'http://host.docker.internal:9020'));
    assert.ok(accepts(named, 'https://bank.example'));
    for (const url of ['http://bank.example', 'http://hostxdocker.internal', 'http://host.docker.internal.example']) {
      assert.ok(!accepts(named, url), url);
    }
    assert.ok(!accepts(normal, 'http://host.docker.internal:9020'));
    assert.ok(!JSON.stringify(normal).includes('BANK_PLAIN_HOST'));
  });

  it('refuses a host with a port', () => {
    assert.throws(() => forEmulator('host:80'), /a name without port, received "host:80"/);
  });
});
