import type { Page } from 'playwright-core';

/** Collects what the browser reports as wrong. */
export function watchProblems(page: Page): string[] {
  const problems: string[] = [];
  page.on('pageerror', (error) => problems.push(error.message));
  page.on('console', (message) => {
    // An overloaded machine may answer "busy"; the client asks again. A refund of too much is refused.
    if (/the server responded with a status of (503|422)/.test(message.text())) return;
    if (message.type() === 'error' || message.type() === 'warning') problems.push(message.text());
  });
  return problems;
}
