/** The story with clients in other languages, which generators make from docs/openapi.json. They need the network. */
import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { cpSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { castOf } from './story.ts';
import type { Facts, Stage } from './story.ts';

/** A language, its generator and its story. */
export interface Language {
  readonly name: string;
  /** The programs that it needs. */
  readonly programs: readonly string[];
  /** Makes the client in an empty folder, and compiles it with its story. Returns the command that tells the story. */
  readonly prepare: (folder: string) => Promise<readonly [program: string, ...args: string[]]>;
}

const pythonGenerator = 'openapi-python-client==0.29.1';
const goGenerator = 'github.com/oapi-codegen/oapi-codegen/v2/cmd/oapi-codegen@v2.8.2';
const goRuntime = 'github.com/oapi-codegen/runtime@v1.9.0';
const description = join(import.meta.dirname, '..', '..', 'docs', 'openapi.json');
const storyIn = (file: string) => join(import.meta.dirname, file);

const python: Language = {
  name: 'Python',
  programs: ['python3'],
  async prepare(folder) {
    const bin = join(folder, 'venv', 'bin');
    await run(folder, 'python3', ['-m', 'venv', 'venv']);
    await run(folder, join(bin, 'python'), ['-m', 'pip', 'install', '--quiet', pythonGenerator]);
    const made = await run(folder, join(bin, 'openapi-python-client'), [
      ...['generate', '--path', description, '--meta', 'none', '--output-path', 'wallet_api'],
    ]);
    const left = leftOutOf(made);
    if (left.length > 0) throw new Error(`the generator left out:\n${left.join('\n')}`);
    cpSync(storyIn('story.py'), join(folder, 'story.py'));
    await run(folder, join(bin, 'python'), ['-m', 'compileall', '-q', 'wallet_api', 'story.py']);
    return [join(bin, 'python'), 'story.py'];
  },
};

const go: Language = {
  name: 'Go',
  programs: ['go'],
  async prepare(folder) {
    mkdirSync(join(folder, 'wallet'));
    cpSync(storyIn('story.go'), join(folder, 'main.go'));
    await run(folder, 'go', ['mod', 'init', 'story']);
    await run(folder, 'go', [
      ...['run', goGenerator, '-package', 'wallet', '-generate', 'types,client'],
      ...['-o', join('wallet', 'wallet.gen.go'), description],
    ]);
    await run(folder, 'go', ['get', goRuntime]);
    await run(folder, 'go', ['mod', 'tidy']);
    await run(folder, 'go', ['vet', '.']);
    await run(folder, 'go', ['build', '-o', 'story', '.']);
    return [join(folder, 'story')];
  },
};

export const languages: readonly Language[] = [python, go];

/** Returns the programs that this machine lacks. */
export async function missingFor({ programs }: Language): Promise<readonly string[]> {
  const found = await Promise.all(programs.map((program) => exists(program)));
  return programs.filter((_, index) => found[index] !== true);
}

/** Makes the client of a language in the folder, and tells the story with it. */
export async function tellIn(language: Language, stage: Stage, folder: string): Promise<Facts> {
  const [program, ...args] = await language.prepare(folder);
  const { ada, ben, operator } = await castOf(stage);
  const env = { WALLET_URL: stage.url, TOKEN_ADA: ada, TOKEN_BEN: ben, TOKEN_OPERATOR: operator };
  return JSON.parse(await run(folder, program, args, env)) as Facts;
}

/**
 * Returns the routes and answers that a generator did not make, by what it printed. It has no media type for lines of JSON, so
 * the route of batches is known to be absent.
 */
function leftOutOf(printed: string): string[] {
  return [...printed.matchAll(/^WARNING parsing (.*)$/gm)].flatMap(([, what = '']) =>
    what.startsWith('POST /batches ') ? [] : [what],
  );
}

async function exists(program: string): Promise<boolean> {
  const flag = program === 'go' ? 'version' : '--version';
  const child = spawn(program, [flag], { stdio: 'ignore' });
  return (await exitOf(child)) === 0;
}

/** Runs a program in the folder. Returns what it printed. Throws with it when the program fails. */
async function run(folder: string, program: string, args: readonly string[], env = {}): Promise<string> {
  const child = spawn(program, args, {
    cwd: folder,
    env: { ...process.env, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const [stdout, stderr, code] = await Promise.all([text(child.stdout), text(child.stderr), exitOf(child)]);
  if (code !== 0) throw new Error(`${[program, ...args].join(' ')} failed:\n${stdout}${stderr}`);
  return stdout;
}

/** Returns the exit code; undefined when the program was not started. */
function exitOf(child: ChildProcess): Promise<number | null | undefined> {
  return new Promise((resolve) => {
    child.once('error', () => {
      resolve(undefined);
    });
    child.once('close', resolve);
  });
}
