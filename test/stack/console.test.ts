/** The console in the template: off by default, and with the prop a page without data behind a strict policy. */
import { AwsSolutionsChecks } from 'cdk-nag';
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { describe, it } from '@jest/globals';
import { answerOf } from '../../lambdas/api/console.ts';
import { consolePageFile, consolePath } from '../../lambdas/contract.ts';
import type { ConsolePage, ConsoleSettings } from '../../lambdas/contract.ts';
import type { WalletStackProps } from '../../lib/wallet-stack.ts';
import { bundleOf } from '../prebuilt-bundles.ts';
import { resourcesOf, synthesize, theOnly } from './synthesized.ts';

const root = join(import.meta.dirname, '..', '..');
const plainSettings: ConsoleSettings = { features: [] };
const plain = synthesize();
const people = { callbackUrls: ['https://api.example.com/console'] };
const withConsole = synthesize({ console: {}, people });

type Synthesized = ReturnType<typeof synthesize>;
const sizeOf = ({ template }: Synthesized) => Object.keys(template.toJSON()['Resources'] as object).length;

function settingsOf({ template }: Synthesized): unknown {
  const [found] = [...resourcesOf(template, 'AWS::Lambda::Function').values()].flatMap(({ Properties }) => {
    const { Variables } = (Properties['Environment'] ?? {}) as { Variables?: Record<string, unknown> };
    return Variables?.['CONSOLE_SETTINGS'] ?? [];
  });
  return found;
}

describe('the console', () => {
  it('is off by default', () => {
    assert.equal(plain.stack.service.functions.console, undefined);
    const ids = [...resourcesOf(plain.template, 'AWS::ApiGateway::Resource').keys()];
    assert.ok(!ids.some((id) => /console/i.test(id)));
  });

  it('comes from the prop, as one page that takes no token and reads no data', () => {
    assert.equal(sizeOf(withConsole) - sizeOf(synthesize({ people })), 5, 'docs/console.md and the prop say five');
    const [resource] = [...resourcesOf(withConsole.template, 'AWS::ApiGateway::Resource')].filter(
      ([, { Properties }]) => Properties['PathPart'] === consolePath.slice(1),
    );
    const methods = [...resourcesOf(withConsole.template, 'AWS::ApiGateway::Method').values()].filter(
      ({ Properties }) => (Properties['ResourceId'] as { Ref: string }).Ref === resource?.[0],
    );
    assert.deepEqual(
      methods.map(({ Properties }) => [Properties['HttpMethod'], Properties['AuthorizationType']]),
      [['GET', 'NONE']],
    );
    const [, stage] = theOnly(withConsole.template, 'AWS::ApiGateway::Stage');
    const throttled = (stage.Properties['MethodSettings'] as Record<string, unknown>[]).find(
      ({ ResourcePath }) => ResourcePath === '/~1console',
    );
    assert.equal(throttled?.['ThrottlingRateLimit'], 10);
  });

  it('signs in at the user pool of the stack, or at the issuer of the prop, or takes a pasted token', () => {
    const text = JSON.stringify(settingsOf(withConsole));
    for (const part of ['/oauth2/authorize', '/oauth2/token', 'PeopleClient', 'wallet/read wallet/write']) {
      assert.ok(text.includes(part), part);
    }
    assert.equal(settingsOf(synthesize({ console: {} })), '{"features":["holds","refunds"]}');
    const signIn = {
      authorizeEndpoint: 'https://issuer.example/authorize',
      tokenEndpoint: 'https://issuer.example/token',
      clientId: 'console',
      scope: 'wallet:support',
    };
    const props: WalletStackProps = {
      console: { signIn },
      tokens: { issuer: 'https://issuer.example', audience: 'w' },
    };
    const options = { ...props, holds: false, refunds: false, statementFiles: true };
    assert.equal(settingsOf(synthesize(options)), JSON.stringify({ signIn, features: ['statementFiles'] }));
    assert.throws(
      () => synthesize({ console: { signIn: { ...signIn, tokenEndpoint: 'http://issuer.example/token' } } }),
      /console\.signIn\.tokenEndpoint must begin with https:\/\/.*received "http:\/\/issuer\.example\/token"/,
    );
  });

  it('leaves no finding of cdk-nag', () => {
    assert.deepEqual(new AwsSolutionsChecks(withConsole.stack).validateScope(withConsole.stack).violations, []);
  });
});

describe('the page', () => {
  const page = JSON.parse(readFileSync(join(bundleOf('console'), consolePageFile), 'utf8')) as ConsolePage;
  const signIn = {
    authorizeEndpoint: 'https://issuer.example/authorize',
    tokenEndpoint: 'https://issuer.example/token',
    clientId: '"><script>alert(1)</script>',
    scope: 'wallet:support',
  };

  it('is as large as docs/console.md says, and below its budget', () => {
    const bytes = gzipSync(page.html).byteLength;
    const text = readFileSync(join(root, 'docs', 'console.md'), 'utf8');
    const [, said, budget] = /one document\s+of (\d+) kB[^.]*budget\s+is\s+(\d+) kB/.exec(text) ?? [];
    assert.equal(
      `${Math.round(bytes / 1000)} kB`,
      `${said} kB`,
      `${bytes} bytes as it is sent: correct docs/console.md`,
    );
    assert.ok(bytes < 1000 * Number(budget), `${bytes} bytes: leave something out, or raise the budget with a reason`);
  });

  it('allows its one script, its one style, and answers of its own origin', () => {
    const { headers, body } = answerOf(page, plainSettings);
    const policy = headers['Content-Security-Policy'];
    const hashOf = (text = '') => `'sha256-${createHash('sha256').update(text).digest('base64')}'`;
    const script = /<script type="module">([^]*)<\/script>/.exec(body)?.[1];
    const style = /<style>([^]*)<\/style>/.exec(body)?.[1];
    assert.ok((script?.length ?? 0) > 10_000 && (style?.length ?? 0) > 1_000);
    const directives = new Map(
      policy.split('; ').map((each) => [each.split(' ')[0], each.split(' ').slice(1).join(' ')]),
    );
    assert.equal(directives.get('default-src'), "'none'");
    assert.equal(directives.get('script-src'), hashOf(script));
    assert.equal(directives.get('style-src'), hashOf(style));
    assert.equal(directives.get('connect-src'), "'self'");
    assert.equal(directives.get('frame-ancestors'), "'none'");
    assert.equal(directives.get('trusted-types'), "'none'");
    assert.doesNotMatch(policy, /unsafe/);
  });

  it('may also ask the token endpoint of its sign-in, and has the settings as text', () => {
    const { headers, body } = answerOf(page, { signIn, features: [] });
    assert.match(headers['Content-Security-Policy'], /connect-src 'self' https:\/\/issuer\.example;/);
    assert.ok(!body.includes('<script>alert'));
    assert.ok(body.includes('&quot;clientId&quot;:&quot;\\&quot;>&lt;script>'));
    assert.notEqual(headers.ETag, answerOf(page, plainSettings).headers.ETag);
  });

  it('has no way to make markup of text', () => {
    assert.doesNotMatch(
      page.html,
      /insertAdjacentHTML|document\.write|dangerouslySetInnerHTML=|\beval\(|new Function\(/,
    );
  });
});
