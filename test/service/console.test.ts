/** The console in a browser, over the demo's data: what an operator sees and does in a day, by mouse and by keyboard. */
import assert from 'node:assert/strict';
import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, it } from '@jest/globals';
import type { Page } from 'playwright-core';
import { makeDemoData } from '../../bin/demo-data.ts';
import { shared } from '../shared.ts';
import { findChromium, startChromium } from '../../bin/chromium.ts';
import { eventually } from './eventually.ts';
import { watchProblems } from './page-problems.ts';
import { startService } from './service.ts';

/** A script for the page, which returns what has no name. */
const labels = readFileSync(join(import.meta.dirname, 'labels.js'), 'utf8');
const executable = findChromium();
if (executable === undefined) console.warn('no Chromium in PATH or CHROME_PATH: the tests of the console are skipped');

/** Returns the stack of the run, in which a withdrawal goes to review after two visits to the bank. */
function impatientStack(): string {
  const folder = mkdtempSync(join(tmpdir(), 'console-stack-'));
  afterAll(() => {
    rmSync(folder, { recursive: true });
  });
  cpSync(process.env[shared.assembly] ?? '', folder, { recursive: true });
  const name = readdirSync(folder).find((file) => file.endsWith('.template.json')) ?? '';
  const template = readFileSync(join(folder, name), 'utf8');
  const impatient = template.replace(/"BANK_MAX_ATTEMPTS": ?"20"/, '"BANK_MAX_ATTEMPTS":"2"');
  assert.notEqual(impatient, template);
  writeFileSync(join(folder, name), impatient);
  return folder;
}

const service = executable === undefined ? undefined : await startService({ stack: impatientStack() });
const test = executable === undefined ? it.skip : it;

describe('the console', () => {
  test('shows an operator all of a day: search, wallet, payment, review, approval, books', async () => {
    const { runner } = service!;
    await makeDemoData(runner);
    const sent = await fetch(`${runner.baseUrl}/console`);
    const known = { 'If-None-Match': sent.headers.get('etag') ?? '' };
    assert.equal((await fetch(`${runner.baseUrl}/console`, { headers: known })).status, 304);
    const browser = await startChromium(executable!);
    try {
      const context = await browser.newContext({ viewport: { width: 1200, height: 900 } });
      const page = await context.newPage();
      page.setDefaultTimeout(60_000);
      const problems = watchProblems(page);
      const console = new Console(page, `${runner.baseUrl}/console`);
      await console.signIn('operator');
      await seesTheOwner(console);
      await seesAPayment(console);
      await resolvesAReview(console);
      await cannotApprove(new Console(await context.newPage(), `${runner.baseUrl}/console`));
      await approves(console);
      await changesTheDetails(console);
      await endsAHold(console);
      await refunds(console);
      await makesAStatement(console);
      await seesSoundBooks(console);
      await changesTheColours(console);
      await worksByKeyboard(console);
      await fitsAPhone(console);
      await signsOut(console);
      assert.deepEqual(problems, [], 'the browser reports no error, and no breach of the policy');
    } finally {
      await browser.close();
    }
  });
});

/** The page, as an operator uses it. */
class Console {
  readonly page: Page;
  readonly #url: string;

  constructor(page: Page, url: string) {
    this.page = page;
    this.#url = url;
  }

  async signIn(name: string, scope = 'wallet:operate'): Promise<void> {
    await this.page.goto(this.#url);
    await this.page.getByLabel('Your name').fill(name);
    await this.page.getByLabel('Scopes').fill(scope);
    await this.page.getByRole('button', { name: 'Sign in' }).click();
    await this.heading('Search');
  }

  /** Waits for a view, and checks that all that it has is named. */
  async heading(name: string | RegExp): Promise<void> {
    const heading = this.page.getByRole('heading', { level: 1, name });
    await heading.waitFor();
    assert.equal(await this.ask('document.activeElement.tagName'), 'H1', 'a screen reader begins at the heading');
    assert.deepEqual(await this.ask(labels), []);
  }

  /** Returns the value of an expression in the page. */
  ask(expression: string): Promise<unknown> {
    return this.page.evaluate(expression);
  }

  async open(part: string): Promise<void> {
    await this.page.getByRole('navigation').getByRole('link', { name: part }).click();
    await this.heading(part);
  }

  async sees(text: string | RegExp): Promise<void> {
    await this.page.getByRole('main').getByText(text).first().waitFor();
  }
}

async function seesTheOwner(console: Console): Promise<void> {
  const { page } = console;
  await page.getByLabel('Wallet, owner, transaction').fill('ada');
  await page.getByRole('button', { name: 'Search' }).click();
  await console.sees('Wallets of ada');
  await page
    .getByRole('link', { name: /^w_usd_/ })
    .first()
    .click();
  await console.heading(/^Wallet w_usd_/);
  await console.sees('Reason to freeze');
  await page.getByRole('img', { name: /^Balance from 0\.00 USD to / }).waitFor();
  await page.getByRole('button', { name: /^Show all \d+ entries$/ }).click();
  await page.getByRole('region', { name: 'Ledger' }).getByText('-850.00 USD').waitFor();
}

async function seesAPayment(console: Console): Promise<void> {
  const { page } = console;
  await console.open('Try');
  const form = (name: string) => page.getByRole('form', { name });
  await form('Open a wallet').getByLabel('Owner').fill('dora');
  await form('Open a wallet').getByRole('button').click();
  await form('Open a wallet').getByText('Opened.').waitFor();
  await form('Charge').getByRole('button').click();
  await form('Charge').getByText('It is completed.').waitFor();
  await form('Withdraw').getByLabel('Destination').selectOption('SIM-FLAKY');
  await form('Withdraw').getByLabel('Amount').fill('12.345');
  await form('Withdraw').getByRole('button').click();
  await console.sees('Write an amount with up to 2 decimals.');
  await form('Withdraw').getByLabel('Amount').fill('12.34');
  await form('Withdraw').getByRole('button').click();
  await form('Withdraw').getByText('It is pending.').waitFor();
  await page.getByRole('region', { name: 'Withdraw' }).getByRole('link', { name: /^tx_/ }).click();
  await console.heading(/^Transaction tx_/);
  await console.sees('12.34 USD');
  await page.getByText('Accepted: the money is held').waitFor();
  await page.getByText(/^Completed after /).waitFor();
  const steps = await page.getByRole('listitem').filter({ hasText: 'UTC' }).allInnerTexts();
  assert.equal(steps.filter((step) => step.startsWith('Visit ')).length, 3);
  await page.getByText('Event withdrawal.completed was published').waitFor();
  assert.match(await page.getByRole('status').first().innerText(), /The transaction is now completed/);
}

async function resolvesAReview(console: Console): Promise<void> {
  const { page } = console;
  await console.open('Review');
  await page.getByRole('main').getByRole('link', { name: /^tx_/ }).first().waitFor();
  await page.getByText('Resolve', { exact: true }).first().click();
  await page.getByRole('radio', { name: /^Not paid/ }).check();
  await page.getByLabel('Evidence').fill('The statement of the bank <b>lacks</b> it');
  const transaction = await page.getByRole('main').getByRole('link', { name: /^tx_/ }).first().innerText();
  await page.getByRole('button', { name: 'Resolve' }).click();
  await console.sees('Nothing is in review.');
  await page.goto(`${page.url().replace(/#.*/, '')}#/transactions/${transaction}`);
  await console.sees('Resolved as not paid by operator');
  // What callers write is text, never markup.
  await console.sees('The statement of the bank <b>lacks</b> it');
  await console.sees('the money is back');
}

/** Opens the dollars of an owner of the demo. */
async function openWalletOf(console: Console, owner: string): Promise<void> {
  const { page } = console;
  await console.open('Search');
  await page.getByLabel('Wallet, owner, transaction').fill(owner);
  await page.getByRole('button', { name: 'Search' }).click();
  await page
    .getByRole('link', { name: /^w_usd_/ })
    .first()
    .click();
  await console.heading(/^Wallet w_usd_/);
}

async function changesTheDetails(console: Console): Promise<void> {
  const { page } = console;
  await openWalletOf(console, 'ada');
  await page.getByText('Change them').click();
  const form = page.getByRole('form', { name: 'Change the wallet' });
  await form.getByLabel('Metadata').fill('tier: gold\nno text');
  await form.getByRole('button').click();
  await console.sees('not “no text”');
  await form.getByLabel('Name').fill('Everyday <i>money</i>');
  await form.getByLabel('Alias').fill('ada.lovelace');
  await form.getByLabel('Metadata').fill('tier: gold\nnote: a:b');
  await form.getByRole('button').click();
  await form.getByText('The wallet is changed.').waitFor();
  await console.sees('@ada.lovelace');
  await page.getByRole('heading', { name: 'Everyday <i>money</i>' }).waitFor();
  await form.getByLabel('Metadata').fill('note: a:b');
  await form.getByRole('button').click();
  await page.getByText('Metadata tier').waitFor({ state: 'detached' });
}

async function endsAHold(console: Console): Promise<void> {
  const { page } = console;
  const captures: string[] = [];
  page.on('request', (request) => {
    if (request.url().endsWith('/capture')) captures.push(request.headers()['idempotency-key'] ?? '');
  });
  const holds = page.getByRole('region', { name: 'Open holds' });
  await holds.getByText('120.00 USD').first().waitFor();
  await holds.getByText('Capture or release').click();
  const capture = page.getByRole('form', { name: /^Capture tx_/ });
  await capture.getByLabel('Amount to capture').fill('120.01');
  await capture.getByRole('button').click();
  await console.sees('That is more than 120.00 USD, which is left.');
  await capture.getByLabel('Amount to capture').fill('50');
  await capture.getByRole('button').dblclick();
  await capture.getByText('Captured: 50.00 USD has moved.').waitFor();
  await capture.getByText('Empty: all that is left, 70.00 USD.').waitFor();
  // The same button sends nothing again until a field changes.
  await capture.getByRole('button').click({ force: true });
  const release = page.getByRole('form', { name: /^Release tx_/ });
  await release.getByLabel('Reason').fill('sold out');
  await release.getByRole('button').click();
  await holds.getByText('Nothing is held for a purchase.').waitFor();
  // A `busy` answer is repeated with the same key.
  assert.equal(new Set(captures).size, 1);
}

async function refunds(console: Console): Promise<void> {
  const { page } = console;
  await openWalletOf(console, 'dora');
  const history = page.getByRole('region', { name: 'Transactions of the wallet' });
  await history.getByRole('row').filter({ hasText: 'charge' }).getByRole('link').click();
  await console.heading(/^Transaction tx_/);
  const form = page.getByRole('form', { name: 'Refund' });
  await form.getByLabel('Amount to refund').fill('95');
  await form.getByLabel('Reason to refund').fill('not sent');
  await form.getByRole('button').click();
  await console.sees('does not hold enough available money');
  // The money is gone already, so the balance falls below zero.
  await form.getByLabel('Chargeback').check();
  await form.getByRole('button').click();
  await form.getByText('Refunded: 95.00 USD has moved.').waitFor();
  await form.getByText('all that is left, 5.00 USD').waitFor();
  await page.getByRole('region', { name: 'Belongs to it' }).getByRole('link', { name: /^tx_/ }).click();
  await console.sees('the money had been taken already');
  await console.sees('-95.00 USD');
}

async function makesAStatement(console: Console): Promise<void> {
  const { page } = console;
  await openWalletOf(console, 'dora');
  const section = page.getByRole('region', { name: 'Statement' });
  await section.getByRole('button', { name: 'Make the file' }).click();
  const link = section.getByRole('link', { name: /^Statement as csv, \d+ bytes$/ });
  await link.waitFor({ timeout: 60_000 });
  const file = await fetch((await link.getAttribute('href')) ?? '');
  assert.match(await file.text(), /95\.00/);
}

/** An operator without the scope sees what waits, in a tab of its own, and has no button for it. */
async function cannotApprove(console: Console): Promise<void> {
  const { page } = console;
  await console.signIn('clerk', 'wallet:support');
  await console.open('Approvals');
  await console.sees('An operator with the scope charge decides on it.');
  assert.equal(
    await page
      .getByRole('main')
      .getByRole('button', { name: /^(Approve|Reject)$/ })
      .count(),
    0,
  );
  await page.close();
}

async function approves(console: Console): Promise<void> {
  const { page } = console;
  await console.open('Approvals');
  await console.sees('25,000.00 CHF');
  await page.getByRole('button', { name: 'Approve' }).click();
  await console.sees('Nothing waits.');
}

async function seesSoundBooks(console: Console): Promise<void> {
  const { page } = console;
  await console.open('Health');
  await console.sees('closed: bank is up');
  const verdict = page.getByText('The books are sound.');
  // A pass that meets a payment under way looks again.
  for (let tries = 0; tries < 5 && !(await verdict.isVisible()); tries++) {
    await page.getByRole('button', { name: 'Check the books now' }).click();
    await page.getByRole('form', { name: 'Check the books' }).getByText('Checked.').waitFor();
    await verdict.waitFor({ timeout: 2_000 }).catch(() => undefined);
  }
  await verdict.waitFor();
  await console.open('Live');
  await console.sees('withdrawal.completed');
}

async function changesTheColours(console: Console): Promise<void> {
  const { page } = console;
  const ground = () => console.ask('getComputedStyle(document.body).backgroundColor');
  const light = await ground();
  await page.emulateMedia({ colorScheme: 'dark' });
  const dark = await ground();
  assert.notEqual(dark, light);
  await page.getByLabel('Colours').selectOption('light');
  await eventually(async () => (await ground()) === light);
  await page.emulateMedia({ colorScheme: 'light' });
  await page.getByLabel('Colours').selectOption('dark');
  await eventually(async () => (await ground()) === dark);
}

async function worksByKeyboard(console: Console): Promise<void> {
  const { page } = console;
  await page.goto(page.url().replace(/#.*/, '#/'));
  await page.reload();
  await console.heading('Search');
  await page.keyboard.press('Tab');
  await page.keyboard.type('ben');
  await page.keyboard.press('Enter');
  await console.sees('Wallets of ben');
  const focused = async () => String(await console.ask('document.activeElement.textContent'));
  for (let tabs = 0; tabs < 10 && !(await focused()).startsWith('w_'); tabs++) await page.keyboard.press('Tab');
  const walletId = await focused();
  await page.keyboard.press('Enter');
  await console.heading(`Wallet ${walletId}`);
}

async function fitsAPhone(console: Console): Promise<void> {
  await console.page.setViewportSize({ width: 360, height: 740 });
  const widest = Number(await console.ask('document.documentElement.scrollWidth'));
  assert.ok(widest <= 360, `${widest} pixels`);
}

async function signsOut(console: Console): Promise<void> {
  const { page } = console;
  await page.getByRole('button', { name: 'Sign out' }).click();
  await page.getByRole('heading', { name: 'Wallet console' }).waitFor();
  assert.equal(await console.ask('sessionStorage.length'), 0);
  assert.doesNotMatch(String(await console.ask('JSON.stringify(localStorage)')), /eyJ/);
}
