import { readFileSync } from 'node:fs';

const parentCheckMs = 500;

/**
 * Ends this process with 0 after a signal, or when the npm that started it has ended. A second signal ends it at once.
 *
 * @param stop finishes the work that is under way
 */
export function stopOnSignals(stop: (reason: string) => Promise<void>): void {
  let stopping = false;
  const end = (reason: string): void => {
    // The parts of other processes end with this one, however it ends.
    if (stopping) process.exit(130);
    stopping = true;
    void stop(reason).then(() => process.exit(0));
  };
  process.on('SIGINT', end);
  process.on('SIGTERM', end);
  // When npm is killed, it sends no signal. This process would go on, and keep the port and the data.
  const npm = process.env['npm_lifecycle_event'] === undefined ? undefined : npmProcess();
  if (npm === undefined) return;
  setInterval(() => {
    if (!isAlive(npm) && !stopping) end('npm has ended');
  }, parentCheckMs).unref();
}

/** Returns the process id of npm, which starts a shell that starts this process or becomes it. */
function npmProcess(): number {
  try {
    const [, command = '', parent] = /\((.*)\) \S (\d+)/.exec(readFileSync(`/proc/${process.ppid}/stat`, 'utf8')) ?? [];
    return command.endsWith('sh') ? Number(parent) : process.ppid;
  } catch {
    return process.ppid; // not Linux
  }
}

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}
