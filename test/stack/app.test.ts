/** The CDK app as the CDK's command line runs it: in its own process, with the `-c` values in its context. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, it } from '@jest/globals';
import type { Resource } from './synthesized.ts';

const app = join(import.meta.dirname, '..', '..', 'bin', 'wallet.ts');
const folder = mkdtempSync(join(tmpdir(), 'wallet-app-'));
afterAll(() => {
  rmSync(folder, { recursive: true });
});

/** Runs the app, which takes seconds when it succeeds: its functions are bundled. */
function synthesize(context: Record<string, string>) {
  const env = { ...process.env, CDK_CONTEXT_JSON: JSON.stringify(context), CDK_OUTDIR: folder };
  return spawnSync(process.execPath, [app], { env, encoding: 'utf8' });
}

/** Returns the resources of the template that was synthesized last. */
function resources(): Resource[] {
  const template = JSON.parse(readFileSync(join(folder, 'Wallet.template.json'), 'utf8')) as {
    Resources: Record<string, Resource>;
  };
  return Object.values(template.Resources);
}

function variablesOf(shipped: readonly Resource[], name: string): Readonly<Record<string, unknown>> {
  const found = shipped.find(({ Properties }) => Properties['Description'] === `Wallet service: ${name}`);
  return (found?.Properties['Environment'] as { Variables: Record<string, unknown> }).Variables;
}

const arn = (name: string) => `arn:aws:dynamodb:eu-west-1:111122223333:table/${name}`;
const ledger = { ledgerTableArn: arn('old-ledger'), ledgerStreamArn: `${arn('old-ledger')}/stream/2026` };
const onCall = 'arn:aws:sns:eu-west-1:111122223333:on-call';

describe('the context of an app with its own issuer', () => {
  let shipped: Resource[];
  beforeAll(() => {
    const { status, stderr } = synthesize({
      tokenIssuer: 'https://issuer.example',
      tokenAudience: 'wallets',
      tokenJwksUri: 'https://keys.example/jwks',
      alarmTopicArn: onCall,
      reservedConcurrency: 'false',
      webAcl: 'false',
      logLevel: 'WARN',
      monthlyBudget: '200',
      ...ledger,
      entriesTableArn: arn('old-entries'),
    });
    assert.equal(status, 0, stderr);
    shipped = resources();
  });

  it('sets the issuer of tokens, and the level of logs', () => {
    const Variables = variablesOf(shipped, 'authorizer');
    assert.deepEqual(
      ['TOKEN_KIND', 'TOKEN_ISSUER', 'TOKEN_AUDIENCE', 'TOKEN_JWKS_URI'].map((name) => Variables[name]),
      ['oidc', 'https://issuer.example', 'wallets', 'https://keys.example/jwks'],
    );
    assert.equal(Variables['POWERTOOLS_LOG_LEVEL'], 'WARN');
    assert.equal(shipped.filter(({ Type }) => Type === 'AWS::Cognito::UserPool').length, 0);
  });

  it('sets the topic of alarms, and the budget', () => {
    const budgets = shipped.filter(({ Type }) => Type === 'AWS::Budgets::Budget');
    assert.match(JSON.stringify(budgets), /"BudgetLimit":\{"Amount":200,"Unit":"USD"\}/);
    assert.match(JSON.stringify(budgets), /"Address":"arn:aws:sns:eu-west-1:111122223333:on-call"/);
    const alarms = shipped.filter(({ Type }) => Type === 'AWS::CloudWatch::Alarm');
    assert.ok(alarms.length > 0);
    for (const { Properties } of alarms) assert.deepEqual(Properties['AlarmActions'], [onCall]);
  });

  it('leaves out the features that the account lacks', () => {
    assert.ok(!JSON.stringify(shipped).includes('ReservedConcurrentExecutions'));
    assert.equal(shipped.filter(({ Type }) => Type.startsWith('AWS::WAFv2::')).length, 0);
  });

  it('names tables that exist already', () => {
    assert.equal(variablesOf(shipped, 'projector')['ENTRIES_TABLE_NAME'], 'old-entries');
    const sources = shipped.map(({ Properties }) => Properties['EventSourceArn']);
    assert.equal(sources.filter((source) => source === ledger.ledgerStreamArn).length, 2);
  });
});

describe('the context of an app with a user pool', () => {
  it('sets the URLs that people return to after a sign-in, and where the keys of the pool are read', () => {
    const { status, stderr } = synthesize({
      peopleCallbackUrls: 'https://desk.example/,http://localhost:8976/',
      tokenJwksUri: 'https://keys.example/jwks',
    });
    assert.equal(status, 0, stderr);
    const shipped = resources();
    assert.deepEqual(
      shipped.flatMap(({ Properties }) => Properties['CallbackURLs'] ?? []),
      ['https://desk.example/', 'http://localhost:8976/'],
    );
    assert.equal(shipped.filter(({ Type }) => Type === 'AWS::Cognito::UserPool').length, 1);
    for (const name of ['authorizer', 'health']) {
      const { TOKEN_KIND: kind, TOKEN_JWKS_URI: keys } = variablesOf(shipped, name);
      assert.deepEqual([kind, keys], ['cognito', 'https://keys.example/jwks']);
    }
  });
});

describe('the context', () => {
  it('with one of the two ARNs of the wallet table fails', () => {
    for (const half of ['ledgerTableArn', 'ledgerStreamArn'] as const) {
      const failed = synthesize({ [half]: ledger[half] });
      assert.notEqual(failed.status, 0);
      assert.match(failed.stderr, /ledgerTableArn and ledgerStreamArn go together/);
    }
  });

  it('with half of an issuer fails and does not fall back to a user pool', () => {
    for (const half of [
      { tokenIssuer: 'https://issuer.example' },
      { tokenAudience: 'wallets' },
      { tokenAudience: 'wallets', tokenJwksUri: 'https://keys.example/jwks' },
    ]) {
      const { status, stderr } = synthesize(half);
      assert.notEqual(status, 0);
      assert.match(stderr, /tokenIssuer and tokenAudience/);
    }
  });
});
