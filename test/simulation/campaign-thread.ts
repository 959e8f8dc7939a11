/** A thread of a campaign: every n-th history, on its own engine. */
import { parentPort, workerData } from 'node:worker_threads';
import { explain, runNumbered, totalsOf } from './campaign.ts';
import type { Totals } from './campaign.ts';
import { openLab } from './lab.ts';

export interface Share {
  readonly seed: string;
  readonly steps: number;
  readonly first: number;
  readonly end: number;
  readonly every: number;
}

export type News =
  | { readonly what: 'done'; readonly totals: Totals }
  | { readonly what: 'failed'; readonly number: number; readonly report: string };

const { seed, steps, first, end, every } = workerData as Share;
const tell = (news: News) => parentPort?.postMessage(news);
const lab = openLab();
try {
  for (let number = first; number < end; number += every) {
    const numbered = { seed, number, steps };
    const { history, outcome } = await runNumbered(lab, numbered);
    if (outcome.violations.length > 0) {
      tell({
        what: 'failed',
        number,
        report: await explain(lab, numbered, { history, faults: outcome.struck, outcome }),
      });
      break;
    }
    tell({ what: 'done', totals: totalsOf(outcome) });
  }
} finally {
  await lab.close();
}
