import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { currency } from './ledger.ts';
import type { Ledger } from './ledger.ts';

/** A database session. */
interface Session {
  /** Runs statements that return one value; rejects when the session ends instead. */
  query(sql: string): Promise<string>;
  end(): Promise<void>;
}

/** Opens accounts of its own in a PostgreSQL database that has pgledger, one session (`psql`) for each call at a time. */
export function openPgledger(uri: string, processIds: readonly number[]): Ledger {
  const idle: Session[] = [];
  const sessions: Session[] = [];

  async function query(sql: string): Promise<string> {
    let session = idle.pop();
    if (session === undefined) sessions.push((session = openSession(uri)));
    const value = await session.query(sql);
    idle.push(session);
    return value;
  }

  const createAccount = (name: string, mayBeNegative: boolean) =>
    query(`select id from pgledger_create_account('${name}', '${currency}', ${mayBeNegative})`);

  return {
    processIds,
    canQueue: false,
    async open(count, money) {
      const world = await createAccount('world', true);
      const accounts: string[] = [];
      for (let n = 0; n < count; n++) {
        const account = await createAccount(`wallet ${n}`, false);
        await query(`execute transfer('${world}', '${account}', ${money})`);
        accounts.push(account);
      }
      return accounts;
    },
    async transfer({ from, to, amount }) {
      await query(`execute transfer('${from}', '${to}', ${amount})`);
      return { kind: 'applied' };
    },
    async balance(account) {
      return Number(await query(`select balance from pgledger_accounts_view where id = '${account}'`));
    },
    rest: () => sleep(1_000),
    async stop() {
      await Promise.all(sessions.map((session) => session.end()));
    },
  };
}

/** Starts `psql` with transfers prepared, as a driver would prepare them. */
function openSession(uri: string): Session {
  const child = spawn('psql', ['-X', '-q', '-A', '-t', '-v', 'ON_ERROR_STOP=1', uri], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  const ended = once(child, 'exit').then(([code]) => {
    throw new Error(`psql ended with ${String(code)}`);
  });
  ended.catch(() => undefined); // Queries see it.
  const lines = createInterface({ input: child.stdout });
  const query = async (sql: string): Promise<string> => {
    const answered = once(lines, 'line');
    child.stdin.write(`${sql};\n`);
    const [line] = (await Promise.race([answered, ended])) as [string];
    return line;
  };
  child.stdin.write('prepare transfer(text, text, numeric) as select id from pgledger_create_transfer($1, $2, $3);\n');
  return {
    query,
    async end() {
      child.stdin.end();
      await ended.catch(() => undefined);
    },
  };
}
