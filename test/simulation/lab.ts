/** The engines that histories run on, each history with its own table. */
import { newEntriesTable } from '../books.ts';
import { startTestEngine } from '../engine.ts';
import { newTable, shapeOf } from './auditor.ts';
import type { History } from './history.ts';
import { openLine } from './line.ts';
import type { Plan } from './plan.ts';
import { simulate } from './simulation.ts';
import type { Outcome } from './simulation.ts';
import { openClients } from './wire.ts';

export interface Lab {
  readonly run: (history: History, plan: Plan) => Promise<Outcome>;
  readonly close: () => Promise<void>;
}

/** An engine keeps its data and slows down; a new one is fast. */
const historiesPerEngine = 500;

export function openLab(): Lab {
  const clients = openClients();
  let place: Awaited<ReturnType<typeof openPlace>> | undefined;
  let runs = 0;
  return {
    async run(history, plan) {
      if (runs++ % historiesPerEngine === 0) {
        await place?.close();
        place = await openPlace();
      }
      if (place === undefined) throw new Error('the lab is closed');
      const { line } = place;
      const table = await newTable(line, place.shape);
      const entries = history.hasBooks ? await newTable(line, place.entriesShape) : undefined;
      try {
        return await simulate({ clients, line, table, entries }, history, plan);
      } finally {
        await table.drop();
        await entries?.drop();
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
  const line = openLine(engine.endpoint);
  const { name } = await engine.newTable();
  const entries = await newEntriesTable(engine, `${name}-entries`);
  return {
    line,
    shape: await shapeOf(line, name),
    entriesShape: await shapeOf(line, entries.name),
    async close() {
      line.close();
      await engine.stop();
    },
  };
}
