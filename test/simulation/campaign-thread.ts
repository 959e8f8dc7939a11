/** A thread of a campaign: every n-th history, on its own engine. */
import { parentPort, workerData } from 'node:worker_threads';
import { explain, runNumbered, totalsOf } from './campaign.ts';
import type { Totals } from './campaign.ts';
import { openEngines } from './engines.ts';
import { importReleases } from './trees.ts';
import type { Trees } from './trees.ts';

export interface Share {
  readonly seed: string;
  readonly steps: number;
  readonly first: number;
  readonly end: number;
  readonly every: number;
  /** The releases of an upgrade; absent: the histories have none. */
  readonly trees: Trees | undefined;
}

export type News =
  | { readonly kind: 'done'; readonly totals: Totals }
  | { readonly kind: 'failed'; readonly number: number; readonly report: string };

const { seed, steps, first, end, every, trees } = workerData as Share;
const post = (news: News) => parentPort?.postMessage(news);
const engines = openEngines(trees && (await importReleases(trees)));
try {
  for (let number = first; number < end; number += every) {
    const numbered = { seed, number, steps, upgradeFrom: trees?.oldRef };
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
