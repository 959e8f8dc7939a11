import type { ConsoleSettings } from '../lambdas/contract.ts';

/** Returns the settings that the page's function has put into the page. */
export function readSettings(): ConsoleSettings {
  const content = document.querySelector('meta[name=settings]')?.getAttribute('content') ?? '{"features":[]}';
  return JSON.parse(content) as ConsoleSettings;
}

/** The URL of the API: that of the page without its last part. */
export const baseUrl = location.origin + location.pathname.replace(/\/console\/?$/, '');
