/** A headless Chromium, for tests and pictures of the console, where the machine has one. */
import { existsSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { chromium } from 'playwright-core';
import type { Browser } from 'playwright-core';

const names = ['chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable', 'chrome'];

/** Returns the program of Chromium: that of CHROME_PATH, or one in PATH; undefined where there is none. */
export function findChromium(): string | undefined {
  const { CHROME_PATH: given, PATH: path = '' } = process.env;
  if (given) return given;
  const files = path.split(delimiter).flatMap((folder) => names.map((name) => join(folder, name)));
  return files.find((file) => existsSync(file));
}

/** Starts Chromium. Its sandbox needs rights that containers lack; it opens a service on this machine only. */
export function startChromium(executablePath: string): Promise<Browser> {
  return chromium.launch({ executablePath, args: ['--no-sandbox', '--disable-dev-shm-usage'] });
}
