/** The engines that histories run on, each history with its own table. */
import { newEntriesTable } from '../books.ts';
import { newWebhookTable, startTestEngine } from '../engine.ts';
import { newTable, shapeOf } from './auditor.ts';
import { openConnection } from './connection.ts';
import type { History } from './history.ts';
import { openClients } from './in-process-clients.ts';
import type { Plan } from './plan.ts';
import { simulate } from './simulation.ts';
import type { Outcome } from './simulation.ts';
import { fitForUpgrade, rolloutOf } from './upgrade.ts';
import type { Releases } from './upgrade.ts';

export interface Engines {
  readonly run: (history: History, plan: Plan) => Promise<Outcome>;
  readonly close: () => Promise<void>;
}

/** An engine keeps its data and slows down; a new one is fast. */
const historiesPerEngine = 500;

/**
 * Opens engines.
 *
 * @param releases gives each history an upgrade through these; absent: only the code of this folder runs
 */
export function openEngines(releases?: Releases): Engines {
  const clients = openClients();
  let current: Awaited<ReturnType<typeof openEngine>> | undefined;
  let runs = 0;
  return {
    async run(given, plan) {
      const history = releases === undefined ? given : fitForUpgrade(given, releases);
      const rollout = releases && rolloutOf(history, releases);
      if (runs++ % historiesPerEngine === 0) {
        await current?.close();
        current = await openEngine();
      }
      if (current === undefined) throw new Error('the engines are closed');
      const { connection } = current;
      const table = await newTable(connection, current.shape);
      const entries = history.hasBooks ? await newTable(connection, current.entriesShape) : undefined;
      const hooks = history.webhooks && (await newTable(connection, current.webhooksShape));
      try {
        return await simulate({ clients, connection, table, entries, hooks, rollout }, history, plan);
      } finally {
        await table.drop();
        await entries?.drop();
        await hooks?.drop();
      }
    },
    async close() {
      await current?.close();
      current = undefined;
    },
  };
}

async function openEngine() {
  const engine = await startTestEngine();
  const connection = openConnection(engine.endpoint);
  const { name } = await engine.newTable();
  const entries = await newEntriesTable(engine, `${name}-entries`);
  const webhooks = await newWebhookTable(engine);
  return {
    connection,
    shape: await shapeOf(connection, name),
    entriesShape: await shapeOf(connection, entries.name),
    webhooksShape: await shapeOf(connection, webhooks.name),
    async close() {
      connection.close();
      await engine.stop();
    },
  };
}
