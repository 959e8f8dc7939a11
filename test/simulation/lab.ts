/** Where histories are run: an engine of their own, and a table that is emptied between them. */
import { BatchWriteItemCommand } from '@aws-sdk/client-dynamodb';
import { startTestEngine } from '../engine.ts';
import type { TestTable } from '../engine.ts';
import type { History } from './history.ts';
import { scan } from './ledger.ts';
import type { Plan } from './plan.ts';
import { simulate } from './simulation.ts';
import type { Outcome } from './simulation.ts';

export interface Lab {
  readonly run: (history: History, plan: Plan) => Promise<Outcome>;
  readonly close: () => Promise<void>;
}

/** Tables remember their calls, and the engine its streams: both start anew after so many histories. */
const historiesPerEngine = 200;

export function openLab(): Lab {
  let engine: Awaited<ReturnType<typeof startTestEngine>> | undefined;
  let table: TestTable | undefined;
  let runs = 0;
  return {
    async run(history, plan) {
      if (runs++ % historiesPerEngine === 0) {
        await engine?.stop();
        engine = await startTestEngine();
        table = await engine.newTable();
      }
      if (table === undefined) throw new Error('the lab is closed');
      try {
        return await simulate(table, history, plan);
      } finally {
        table.fault = undefined;
        await empty(table);
      }
    },
    async close() {
      await engine?.stop();
      table = undefined;
    },
  };
}

/** Making a table costs more than emptying one. */
async function empty(table: TestTable): Promise<void> {
  const requests = (await scan(table)).map(({ pk, sk }) => ({ DeleteRequest: { Key: { pk: pk!, sk: sk! } } }));
  for (let start = 0; start < requests.length; start += 25) {
    const batch = requests.slice(start, start + 25);
    await table.client.send(new BatchWriteItemCommand({ RequestItems: { [table.name]: batch } }));
  }
}
