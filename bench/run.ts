/** `npm run bench`: measures the service on one engine and prints tables; see `--help`. */
import { writeFileSync } from 'node:fs';
import { cpus } from 'node:os';
import { readOptions } from '../bin/options.ts';
import { environments } from '../lambdas/contract.ts';
import type { FunctionName } from '../lambdas/contract.ts';
import { budgetTable, measureBudgets } from './budgets.ts';
import { callTable, measureCalls } from './calls.ts';
import { chainTable, measureChain } from './chain.ts';
import { followingTable, measureFollowing } from './following.ts';
import { hostileTable, measureHostile, shareTarget } from './hostile.ts';
import { hotModelTable, modelHotWallet, targets } from './hot-model.ts';
import { hotWalletTable, measureHotWallet, speedTarget, unitsTarget } from './hot-wallet.ts';
import { importTable, measureImports } from './imports.ts';
import { startService } from './service.ts';
import type { Service } from './service.ts';
import { handlerTarget, measureThroughput, throughputTable } from './throughput.ts';
import { latencyTable, modelWithdrawals } from './withdraw-latency.ts';

const sections = [
  'budgets',
  'imports',
  'calls',
  'latency',
  'throughput',
  'chain',
  'hot-wallet',
  'hot-model',
  'hostile',
] as const;
type Section = (typeof sections)[number];

const help = `npm run bench -- [options]

  --only SECTION   one of ${sections.join(', ')}; may be given several times
  --quick          fewer rounds, under half a minute: shows that it works, not how fast
  --json FILE      writes the figures to FILE as JSON
  --help           this text

The engine keeps its data in a file under TMPDIR, and the disk behind it is a part of what is measured.`;

const options = readOptions(help, {
  only: { type: 'string', multiple: true, default: [...sections] },
  quick: { type: 'boolean', default: false },
  json: { type: 'string' },
});

/** The number of calls and rounds. */
const size = options.quick
  ? {
      functions: ['charge', 'authorizer'] as const,
      pairs: 2,
      calls: { rounds: 1, warmUp: 10, calls: 10 },
      withdrawals: 200,
      throughput: { rounds: 1, calls: 16, concurrency: 8 },
      chain: { rounds: 1, calls: { transfer: 100, charge: 40, withdraw: 10, 'get-balance': 40 }, concurrency: 8 },
      hotWallet: { rounds: 1, batches: 1, concurrency: 8, openLoop: { perSecond: 20, seconds: 2 } },
      hotModel: { transfers: 2_000, seconds: 2 },
      hostile: { rounds: 1, seconds: 1 },
    }
  : {
      functions: Object.keys(environments) as FunctionName[],
      pairs: 21,
      calls: { rounds: 5, warmUp: 1_500, calls: 500 },
      withdrawals: 5_000,
      throughput: { rounds: 7, calls: 400, concurrency: 8 },
      chain: { rounds: 3, calls: { transfer: 600, charge: 600, withdraw: 200, 'get-balance': 2_000 }, concurrency: 8 },
      hotWallet: { rounds: 5, batches: 4, concurrency: 32, openLoop: { perSecond: 100, seconds: 15 } },
      hotModel: { transfers: 60_000, seconds: 20 },
      hostile: { rounds: 3, seconds: 8 },
    };

/** The surroundings of a section's measurement, and the receiver of its progress. */
interface Bench {
  readonly service: Service;
  readonly progress: (line: string) => void;
}

/** A section's figures, and its table. */
interface Measured {
  readonly figures: unknown;
  readonly title: string;
  readonly text: string;
}

const measurements: Readonly<Record<Section, (bench: Bench) => Promise<Measured>>> = {
  async budgets({ service }) {
    const steps = await measureBudgets(service);
    const following = await measureFollowing(service);
    return {
      figures: { steps, following },
      title: 'What each step asks of DynamoDB, indexes included',
      text: `${budgetTable(steps)}\n\n${followingTable(following)}`,
    };
  },
  imports({ service, progress }) {
    const figures = measureImports(size.functions, size.pairs, service.environment, progress);
    const title = "Import of each function's bundle as deployed: CPU ms above a process that imports nothing";
    return Promise.resolve({ figures, title, text: importTable(figures) });
  },
  async calls({ service, progress }) {
    const figures = await measureCalls(service, size.calls, progress);
    const title = 'CPU ms of the first call of a process, and of a warm one; the engine is another process';
    return { figures, title, text: callTable(figures) };
  },
  async latency() {
    const figures = await modelWithdrawals(size.withdrawals);
    return { figures, title: 'A withdrawal until its answer, in a model of latencies', text: latencyTable(figures) };
  },
  async throughput({ service, progress }) {
    const figures = await measureThroughput(service, size.throughput, progress);
    const { rounds, calls, concurrency } = size.throughput;
    const title = `${concurrency} at a time, ${rounds} rounds of ${calls} calls (handler: at least ${handlerTarget} of the raw client)`;
    return { figures, title, text: throughputTable(figures) };
  },
  async chain({ progress }) {
    const figures = await measureChain(size.chain, progress);
    const { concurrency, rounds } = size.chain;
    const title = `\`npm start\` with all that follows a call, ${concurrency} at a time, ${rounds} rounds (Linux only)`;
    return { figures, title, text: chainTable(figures) };
  },
  async 'hot-wallet'({ service, progress }) {
    const figures = await measureHotWallet(service, size.hotWallet, progress);
    const title = `Transfers into one wallet (batches: at least ${speedTarget} × one by one, at most ${unitsTarget} write units each)`;
    return { figures, title, text: hotWalletTable(figures) };
  },
  async 'hot-model'() {
    const figures = await modelHotWallet(size.hotModel);
    const title = `One wallet in a model of DynamoDB: conflicts, writes of 10 ms, 1,000 units a second in a partition (${targets.creditsPerSecond} in, ${targets.debitsPerSecond} out)`;
    return { figures, title, text: hotModelTable(figures) };
  },
  async hostile({ service, progress }) {
    const figures = await measureHostile(service, size.hostile, progress);
    const title = `A shop that is paid while others send it what is refused (at least ${shareTarget} of its rate under the same load without conflicts)`;
    return { figures, title, text: hostileTable(figures) };
  },
};

async function measure(chosen: readonly Section[]): Promise<object> {
  const startedAt = performance.now();
  const progress = (line: string) => {
    console.error(`${((performance.now() - startedAt) / 1000).toFixed(0).padStart(4)} s  ${line}`);
  };
  progress('starting the engine');
  const service = await startService();
  // The SDK's clients in this process find the engine and the queues in its environment. The runner shares the engine.
  Object.assign(process.env, service.environment, { DYNAMODB_ENDPOINT: service.endpoint });
  const stop = () => {
    void service.stop().finally(() => process.exit(130));
  };
  process.once('SIGINT', stop).once('SIGTERM', stop);
  const all: Partial<Record<Section, unknown>> = {};
  try {
    for (const section of chosen) {
      const note = (line: string) => {
        progress(`${section}: ${line}`);
      };
      note('begins');
      const { figures, title, text } = await measurements[section]({ service, progress: note });
      all[section] = figures;
      console.log(`\n${title}\n\n${text}\n`);
    }
    return { measuredAt: new Date().toISOString(), quick: options.quick, machine: machine(), ...all };
  } finally {
    process.off('SIGINT', stop).off('SIGTERM', stop);
    await service.stop();
  }
}

function machine(): object {
  const processors = cpus();
  return {
    node: process.version,
    platform: process.platform,
    processors: processors.length,
    model: processors[0]?.model,
  };
}

const isSection = (name: string): name is Section => sections.some((section) => section === name);
const unknown = options.only.filter((name) => !isSection(name));
if (unknown.length > 0) {
  console.error(`unknown section: ${unknown.join(', ')}\n\n${help}`);
  process.exitCode = 2;
} else {
  const figures = await measure(options.only.filter(isSection));
  if (options.json !== undefined) writeFileSync(options.json, `${JSON.stringify(figures, undefined, 2)}\n`);
}
