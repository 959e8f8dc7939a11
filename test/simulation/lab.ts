/** Where histories are run: on an engine of their own, each on a table of its own. */
import { startTestEngine } from '../engine.ts';
import { openAuditor } from './auditor.ts';
import type { History } from './history.ts';
import type { Plan } from './plan.ts';
import { simulate } from './simulation.ts';
import type { Outcome } from './simulation.ts';

export interface Lab {
  readonly run: (history: History, plan: Plan) => Promise<Outcome>;
  readonly close: () => Promise<void>;
}

/** The client remembers its calls: it starts anew after so many histories. */
const historiesPerEngine = 200;

export function openLab(): Lab {
  let place: Awaited<ReturnType<typeof openPlace>> | undefined;
  let runs = 0;
  return {
    async run(history, plan) {
      if (runs++ % historiesPerEngine === 0) {
        await place?.close();
        place = await openPlace();
      }
      if (place === undefined) throw new Error('the lab is closed');
      const table = await place.auditor.newTable();
      try {
        return await simulate(place.client, table, history, plan);
      } finally {
        await table.drop();
      }
    },
    async close() {
      await place?.close();
      place = undefined;
    },
  };
}

async function openPlace() {
  const engine = await startTestEngine();
  const client = await engine.newTable();
  const auditor = openAuditor(engine.endpoint, client.name);
  return {
    client,
    auditor,
    async close() {
      auditor.close();
      await engine.stop();
    },
  };
}
