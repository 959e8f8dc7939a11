/** `npm run screenshots`: takes the pictures of the console for the README, over the demo's data. */
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import type { Page } from 'playwright-core';
import { findChromium, startChromium } from './chromium.ts';
import { demoVisits, makeDemoData } from './demo-data.ts';
import { startLocalService } from './local-service.ts';
import { readOptions } from './options.ts';

const usage = `npm run screenshots -- [--out FOLDER]

Takes the pictures of the console, with a Chromium in PATH or at CHROME_PATH.

  --out FOLDER  the folder for the pictures (default: docs/images)`;

const { out } = readOptions(usage, {
  out: { type: 'string', default: join(import.meta.dirname, '..', 'docs', 'images') },
});
const executable = findChromium();
if (executable === undefined) {
  console.error('no Chromium in PATH or CHROME_PATH');
  process.exit(1);
}
const service = await startLocalService({ memory: true, bankVisits: demoVisits });
try {
  await makeDemoData(service);
  const browser = await startChromium(executable);
  try {
    const page = await browser.newPage({ viewport: { width: 1100, height: 820 } });
    await takeAll(page);
  } finally {
    await browser.close();
  }
} finally {
  await service.stop();
}

async function takeAll(page: Page): Promise<void> {
  mkdirSync(out, { recursive: true });
  const take = async (name: string): Promise<void> => {
    const path = join(out, `${name}.png`);
    await page.screenshot({ path });
    console.log(path);
  };
  await page.goto(`${service.baseUrl}/console`);
  await page.getByRole('button', { name: 'Sign in' }).click();
  await page.getByLabel('Wallet, owner, transaction').fill('ada');
  await page.keyboard.press('Enter');
  await page
    .getByRole('link', { name: /^w_usd_/ })
    .first()
    .click();
  await page.getByRole('img', { name: /^Balance/ }).waitFor();
  await take('console-wallet');
  await page.emulateMedia({ colorScheme: 'dark' });
  await page
    .getByRole('region', { name: 'Transactions of the wallet' })
    .getByRole('row')
    .filter({ hasText: '25.00 USD' })
    .getByRole('link')
    .click();
  await page.getByText(/^Completed after/).waitFor({ timeout: 60_000 });
  await page.getByText('Event withdrawal.completed was published').waitFor();
  await page.getByText('Event withdrawal.completed was published').scrollIntoViewIfNeeded();
  await take('console-transaction');
}
