import { readdirSync, readFileSync } from 'node:fs';

/** The use of a process and its descendants so far. */
export interface ProcessUsage {
  readonly pid: number;
  /** The program's name. */
  readonly name: string;
  /** User and system time, ms, to a hundredth of a second; that of children that have ended included. */
  readonly cpuMs: number;
  /** Resident memory, MB. */
  readonly memoryMb: number;
}

/** Length of a clock tick in `/proc/<pid>/stat` on every Linux that Node runs on, ms. */
const tickMs = 10;

/**
 * Reads the usage of a process and of its descendants that are alive.
 *
 * @throws Error on systems without `/proc`
 */
export function usageOfTree(root: number): ProcessUsage[] {
  const usages: (ProcessUsage & { parent: number })[] = readdirSync('/proc')
    .filter((entry) => /^\d+$/.test(entry))
    .flatMap((pid) => usageOf(Number(pid)) ?? []);
  const members = new Set([root]);
  for (let size = 0; size < members.size;) {
    size = members.size;
    for (const { pid, parent } of usages) if (members.has(parent)) members.add(pid);
  }
  return usages.filter(({ pid }) => members.has(pid)).map(({ parent, ...usage }) => usage);
}

function usageOf(pid: number): (ProcessUsage & { parent: number }) | undefined {
  try {
    const [, name = '', rest = ''] = /\((.*)\) (.*)/s.exec(readFileSync(`/proc/${pid}/stat`, 'utf8')) ?? [];
    const fields = rest.split(' ').map(Number);
    // Fields 4 and 14 to 17 of proc(5); `rest` begins with field 3.
    const [, parent = 0] = fields;
    const cpuTicks = fields.slice(11, 15).reduce((sum, ticks) => sum + ticks, 0);
    const pages = /VmRSS:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? '0';
    return { pid, name, parent, cpuMs: cpuTicks * tickMs, memoryMb: Number(pages) / 1024 };
  } catch {
    return undefined; // It has ended.
  }
}

/**
 * Reads the memory of a process, MB: memory that processes share is divided among them. Resident memory would count a
 * database's shared buffers once for each of its sessions. A process that has ended has none.
 */
export function proportionalMemoryMb(pid: number): number {
  try {
    const kilobytes = /^Pss:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8'))?.[1] ?? '0';
    return Number(kilobytes) / 1024;
  } catch {
    return 0;
  }
}
