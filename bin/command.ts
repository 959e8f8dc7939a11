/** What the commands of this folder share: options, a usage, exit codes, and the place of the tables. */
import { parseArgs } from 'node:util';
import type { ParseArgsConfig } from 'node:util';
import { printable } from './printable.ts';

/** An error whose message is for the person at the shell. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
}

type CommandOptions = NonNullable<ParseArgsConfig['options']>;
type Values<Options extends CommandOptions> = ReturnType<typeof parseArgs<{ options: Options }>>['values'];

/**
 * Runs a command with the options of its shell. Exits with what `main` returns, or with 2 and the reason when it throws. `--help`
 * prints the usage and exits with 0.
 *
 * @param words whether the command takes words without an option, such as names of files
 */
export function runCommand<const Options extends CommandOptions>(
  { usage, options, words = false }: { readonly usage: string; readonly options: Options; readonly words?: boolean },
  main: (values: Values<Options>, words: readonly string[]) => Promise<number>,
): void {
  const run = async (): Promise<number> => {
    if (process.argv.includes('--help')) {
      console.log(usage);
      return 0;
    }
    const { values, positionals } = parseArgs({ options, allowPositionals: words });
    return main(values, positionals);
  };
  run().then(
    (code) => {
      process.exitCode = code;
    },
    (error: unknown) => {
      const badOption =
        error instanceof TypeError && 'code' in error && String(error.code).startsWith('ERR_PARSE_ARGS');
      const message = badOption ? `${error.message}\n\n${usage}` : reasonOf(error);
      console.error(printable(error instanceof UsageError ? error.message : message));
      process.exit(2);
    },
  );
}

/** Returns the cause of an error. After many retries that is the failure of the last one. */
export function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return error.cause instanceof Error ? reasonOf(error.cause) : `${error.name}: ${error.message}`;
}

/** Returns the result of work on what the user gave. Throws UsageError, with what is wrong in it. */
export function usable<T>(what: string, work: () => T): T {
  try {
    return work();
  } catch (error) {
    throw new UsageError(`${what}: ${error instanceof Error ? error.message : String(error)}`);
  }
}

/** Returns the number that an option names. Throws UsageError. */
export function wholeNumber(name: string, value: string, least: number): number {
  const number = Number(value);
  if (!Number.isSafeInteger(number) || number < least) {
    throw new UsageError(`${name} must be a whole number of at least ${least}, received ${value}`);
  }
  return number;
}

/** The options that name the place of the tables. */
export const placeOptions = { endpoint: { type: 'string' }, region: { type: 'string' } } as const;
/** Their lines in a usage. */
export const placeUsage = `  --endpoint URL         a DynamoDB that is not that of AWS, such as DynamoDB Local
  --region NAME          the tables' region`;

/** Points the SDK at a region, or at a DynamoDB that is not that of AWS. */
export function usePlace({ region, endpoint }: { region?: string | undefined; endpoint?: string | undefined }): void {
  if (region !== undefined) process.env['AWS_REGION'] = region;
  if (endpoint !== undefined) useEndpoint(endpoint);
}

/**
 * Points the SDK at an engine on this machine, with the credentials of `npm start`. The engine needs none, the SDK
 * some.
 */
function useEndpoint(endpoint: string): void {
  process.env['AWS_ENDPOINT_URL_DYNAMODB'] = endpoint;
  process.env['AWS_REGION'] ??= 'us-east-1';
  process.env['AWS_ACCESS_KEY_ID'] ??= 'local';
  process.env['AWS_SECRET_ACCESS_KEY'] ??= 'local';
}

const progressMs = 2_000;

/** The clock of a command, and the lines that it prints meanwhile. */
export interface Progress {
  /** Seconds since its beginning, with one decimal. */
  readonly seconds: () => string;
  readonly stop: () => void;
}

/** Prints a line every two seconds, with the time before it, until it is stopped. `line` returns undefined for none. */
export function startProgress(line: () => string | undefined, print: (text: string) => void = console.log): Progress {
  const started = performance.now();
  const seconds = () => ((performance.now() - started) / 1000).toFixed(1);
  const timer = setInterval(() => {
    const text = line();
    if (text !== undefined) print(`  ${seconds()} s, ${text}`);
  }, progressMs);
  return {
    seconds,
    stop: () => {
      clearInterval(timer);
    },
  };
}

/** Returns the most memory that this process has taken. */
export function memoryText(): string {
  return `${Math.round(process.resourceUsage().maxRSS / 1024)} MiB at most`;
}
