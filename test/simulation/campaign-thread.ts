/** A thread of a campaign: every n-th history, on its own engine. */
import { parentPort, workerData } from 'node:worker_threads';
import { explain, runNumbered, totalsOf } from './campaign.ts';
import type { Totals } from './campaign.ts';
import { openEngines } from './engines.ts';

export interface Share {
  readonly seed: string;
  readonly steps: number;
  readonly first: number;
  readonly end: number;
  readonly every: number;
}

export type News =
  | { readonly kind: 'done'; readonly totals: Totals }
  | { readonly kind: 'failed'; readonly number: number; readonly report: string };

const { seed, steps, first, end, every } = workerData as Share;
const post = (news: News) => parentPort?.postMessage(news);
const engines = openEngines();
try {
  for (let number = first; number < end; number += every) {
    const numbered = { seed, number, steps };
    const { history, outcome } = await runNumbered(engines, numbered);
    if (outcome.violations.length > 0) {
      post({
        kind: 'failed',
        number,
        report: await explain(engines, numbered, { history, faults: outcome.struck, outcome }),
      });
      break;
    }
    post({ kind: 'done', totals: totalsOf(outcome) });
  }
} finally {
  await engines.close();
}
