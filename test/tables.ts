import type { TableProperties } from '../local/dynamodb/service.ts';

export interface Tables {
  readonly ledger: TableProperties;
  readonly entries: TableProperties;
}

/** The environment variable in which Jest passes the synthesized tables to the files. */
export const tablesVariable = 'SYNTHESIZED_TABLES';

let tables: Promise<Tables> | undefined;

/** Returns the tables of the CDK constructs. Outside Jest it synthesizes them, once. */
export function describeTables(): Promise<Tables> {
  return (tables ??= readTables());
}

async function readTables(): Promise<Tables> {
  const synthesized = process.env[tablesVariable];
  if (synthesized !== undefined) return JSON.parse(synthesized) as Tables;
  const { synthesizeTables } = await import('./synthesize-tables.ts');
  return synthesizeTables();
}
