/** `npm run bench`: measures the service on one engine and prints tables; see `--help`. */
import { writeFileSync } from 'node:fs';
import { cpus } from 'node:os';
import { readOptions } from '../bin/options.ts';
import { environments } from '../lambdas/contract.ts';
import type { FunctionName } from '../lambdas/contract.ts';
import { startService } from './service.ts';

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

async function measure(chosen: readonly Section[]): Promise<object> {
  const startedAt = performance.now();
  const progress = (line: string) => {
    console.error(`${((performance.now() - startedAt) / 1000).toFixed(0).padStart(4)} s  ${line}`);
  };
  progress('starting the engine');
  const service = await startService();
  // Functions read their environment while they load, and the imports below load them. In this process they write no
  // logs. In processes of their own they write the usual ones.
  Object.assign(process.env, service.environment, {
    POWERTOOLS_LOG_LEVEL: 'SILENT',
    POWERTOOLS_METRICS_DISABLED: 'true',
    // The runner shares the engine.
    DYNAMODB_ENDPOINT: service.endpoint,
  });
  const stop = () => {
    void service.stop().finally(() => process.exit(130));
  };
  process.once('SIGINT', stop).once('SIGTERM', stop);
  const figures: Partial<Record<Section, unknown>> = {};
  try {
    for (const section of chosen) {
      const told = (line: string) => {
        progress(`${section}: ${line}`);
      };
      told('begins');
      const [title, text] = await measureSection(section, told);
      console.log(`\n${title}\n\n${text}\n`);
    }
    return { measuredAt: new Date().toISOString(), quick: options.quick, machine: machine(), ...figures };
  } finally {
    process.off('SIGINT', stop).off('SIGTERM', stop);
    await service.stop();
  }

  async function measureSection(section: Section, told: (line: string) => void): Promise<[string, string]> {
    switch (section) {
      case 'budgets': {
        const { budgetTable, measureBudgets } = await import('./budgets.ts');
        const { followingTable, measureFollowing } = await import('./following.ts');
        const steps = await measureBudgets(service);
        const following = await measureFollowing(service);
        figures[section] = { steps, following };
        const [first, second] = [budgetTable(steps), followingTable(following)];
        return ['What each step asks of DynamoDB, indexes included', `${first}\n\n${second}`];
      }
      case 'imports': {
        const { importTable, measureImports } = await import('./imports.ts');
        const times = (figures[section] = measureImports(size.functions, size.pairs, service.environment, told));
        const title = "Import of each function's bundle as deployed: CPU ms above a process that imports nothing";
        return [title, importTable(times)];
      }
      case 'calls': {
        const { callTable, measureCalls } = await import('./calls.ts');
        const calls = (figures[section] = await measureCalls(service, size.calls, told));
        const title = 'CPU ms of the first call of a process, and of a warm one; the engine is another process';
        return [title, callTable(calls)];
      }
      case 'latency': {
        const { latencyTable, modelWithdrawals } = await import('./withdraw-latency.ts');
        const modelled = (figures[section] = await modelWithdrawals(size.withdrawals));
        return ['A withdrawal until its answer, in a model of latencies', latencyTable(modelled)];
      }
      case 'throughput': {
        const { handlerTarget, measureThroughput, throughputTable } = await import('./throughput.ts');
        const speeds = (figures[section] = await measureThroughput(service, size.throughput, told));
        const { rounds, calls, concurrency } = size.throughput;
        const title = `${concurrency} at a time, ${rounds} rounds of ${calls} calls (handler: at least ${handlerTarget} of the raw client)`;
        return [title, throughputTable(speeds)];
      }
      case 'chain': {
        const { chainTable, measureChain } = await import('./chain.ts');
        const chain = (figures[section] = await measureChain(size.chain, told));
        const { concurrency, rounds } = size.chain;
        const title = `\`npm start\` with all that follows a call, ${concurrency} at a time, ${rounds} rounds (Linux only)`;
        return [title, chainTable(chain)];
      }
      case 'hot-wallet': {
        const { hotWalletTable, measureHotWallet, speedTarget, unitsTarget } = await import('./hot-wallet.ts');
        const hotWallet = (figures[section] = await measureHotWallet(service, size.hotWallet, told));
        const title = `Transfers into one wallet (batches: at least ${speedTarget} × one by one, at most ${unitsTarget} write units each)`;
        return [title, hotWalletTable(hotWallet)];
      }
      case 'hot-model': {
        const { hotModelTable, modelHotWallet, targets } = await import('./hot-model.ts');
        const modelled = (figures[section] = await modelHotWallet(size.hotModel));
        const title = `One wallet in a model of DynamoDB: conflicts, writes of 10 ms, 1,000 units a second in a partition (${targets.creditsPerSecond} in, ${targets.debitsPerSecond} out)`;
        return [title, hotModelTable(modelled)];
      }
      case 'hostile': {
        const { hostileTable, measureHostile, shareTarget } = await import('./hostile.ts');
        const measured = (figures[section] = await measureHostile(service, size.hostile, told));
        const title = `A shop that is paid while others send it what is refused (at least ${shareTarget} of its rate under the same load without conflicts)`;
        return [title, hostileTable(measured)];
      }
    }
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
