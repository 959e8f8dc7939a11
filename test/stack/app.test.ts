/** The CDK app as the CDK's command line runs it: in its own process, with the `-c` values in its context. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, it } from '@jest/globals';
import type { Resource } from './synthesized.ts';

const app = join(import.meta.dirname, '..', '..', 'bin', 'wallet.ts');
const folder = mkdtempSync(join(tmpdir(), 'wallet-app-'));
afterAll(() => {
  rmSync(folder, { recursive: true });
});

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

describe('the context', () => {
  it('sets the issuer of tokens, the topic of alarms, logs, budget, and the features that the account lacks', () => {
    const { status, stderr } = synthesize({
      tokenIssuer: 'https://issuer.example',
      tokenAudience: 'wallets',
      tokenJwksUri: 'https://keys.example/jwks',
      alarmTopicArn: 'arn:aws:sns:eu-west-1:111122223333:on-call',
      reservedConcurrency: 'false',
      webAcl: 'false',
      logLevel: 'WARN',
      monthlyBudget: '200',
    });
    assert.equal(status, 0, stderr);
    const shipped = resources();
    const authorizer = shipped.find(({ Properties }) => Properties['Description'] === 'Wallet service: authorizer');
    const { Variables } = authorizer?.Properties['Environment'] as { Variables: Record<string, string> };
    assert.deepEqual(
      ['TOKEN_KIND', 'TOKEN_ISSUER', 'TOKEN_AUDIENCE', 'TOKEN_JWKS_URI'].map((name) => Variables[name]),
      ['oidc', 'https://issuer.example', 'wallets', 'https://keys.example/jwks'],
    );
    assert.equal(Variables['POWERTOOLS_LOG_LEVEL'], 'WARN');
    const budgets = shipped.filter(({ Type }) => Type === 'AWS::Budgets::Budget');
    assert.match(JSON.stringify(budgets), /"BudgetLimit":\{"Amount":200,"Unit":"USD"\}/);
    assert.match(JSON.stringify(budgets), /"Address":"arn:aws:sns:eu-west-1:111122223333:on-call"/);
    assert.equal(shipped.filter(({ Type }) => Type === 'AWS::Cognito::UserPool').length, 0);
    assert.ok(!JSON.stringify(shipped).includes('ReservedConcurrentExecutions'));
    assert.equal(shipped.filter(({ Type }) => Type.startsWith('AWS::WAFv2::')).length, 0);
    const alarms = shipped.filter(({ Type }) => Type === 'AWS::CloudWatch::Alarm');
    assert.ok(alarms.length > 0);
    for (const { Properties } of alarms) {
      assert.deepEqual(Properties['AlarmActions'], ['arn:aws:sns:eu-west-1:111122223333:on-call']);
    }
  });

  it('sets the URLs that people return to after a sign-in', () => {
    const { status, stderr } = synthesize({ peopleCallbackUrls: 'https://desk.example/,http://localhost:8976/' });
    assert.equal(status, 0, stderr);
    assert.deepEqual(
      resources().flatMap(({ Properties }) => Properties['CallbackURLs'] ?? []),
      ['https://desk.example/', 'http://localhost:8976/'],
    );
  });

  it("sets where the keys of the stack's own user pool are read", () => {
    const { status, stderr } = synthesize({ tokenJwksUri: 'https://keys.example/jwks' });
    assert.equal(status, 0, stderr);
    const shipped = resources();
    assert.equal(shipped.filter(({ Type }) => Type === 'AWS::Cognito::UserPool').length, 1);
    for (const name of ['authorizer', 'health']) {
      const found = shipped.find(({ Properties }) => Properties['Description'] === `Wallet service: ${name}`);
      const { Variables } = found?.Properties['Environment'] as { Variables: Record<string, unknown> };
      assert.deepEqual(
        [Variables['TOKEN_KIND'], Variables['TOKEN_JWKS_URI']],
        ['cognito', 'https://keys.example/jwks'],
      );
    }
  });

  it('names tables that exist already, both ARNs of the wallet table at once', () => {
    const arn = (name: string) => `arn:aws:dynamodb:eu-west-1:111122223333:table/${name}`;
    const ledger = { ledgerTableArn: arn('old-ledger'), ledgerStreamArn: `${arn('old-ledger')}/stream/2026` };
    const { status, stderr } = synthesize({ ...ledger, entriesTableArn: arn('old-entries') });
    assert.equal(status, 0, stderr);
    const projector = resources().find(({ Properties }) => Properties['Description'] === 'Wallet service: projector');
    const { Variables } = projector?.Properties['Environment'] as { Variables: Record<string, unknown> };
    assert.equal(Variables['ENTRIES_TABLE_NAME'], 'old-entries');
    const sources = resources().map(({ Properties }) => Properties['EventSourceArn']);
    assert.equal(sources.filter((source) => source === ledger.ledgerStreamArn).length, 2);
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
