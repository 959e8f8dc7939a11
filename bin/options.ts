import { parseArgs } from 'node:util';
import type { ParseArgsConfig } from 'node:util';

/**
 * Returns the options of a command. `--help` prints the usage and ends the process with 0. An unknown option, or one
 * without its value, is named above the usage and ends it with 1.
 */
export function readOptions<const Options extends NonNullable<ParseArgsConfig['options']>>(
  usage: string,
  options: Options,
) {
  if (process.argv.includes('--help')) {
    console.log(usage);
    process.exit(0);
  }
  try {
    return parseArgs({ options }).values;
  } catch (error) {
    return exitWithUsage(error instanceof Error ? error.message : String(error), usage);
  }
}

/** Prints what is wrong with the options above the usage, and ends the process with 1. */
export function exitWithUsage(message: string, usage: string): never {
  console.error(`${message}\n\n${usage}`);
  process.exit(1);
}

/** Returns the number of a port. Any other text ends the process with 1. */
export function portOf(text: string, usage: string): number {
  const port = Number(text);
  if (/^\d+$/.test(text) && port <= 65_535) return port;
  return exitWithUsage(`--port must be a number between 0 and 65535, received ${text}`, usage);
}

/** Returns the name of a host. A text with a port, or another one that is no name, ends the process with 1. */
export function hostOf(text: string | undefined, usage: string): string | undefined {
  if (text === undefined || /^[a-z0-9]([a-z0-9.-]*[a-z0-9])?$/i.test(text)) return text;
  return exitWithUsage(`--host must be a name without port, received ${text}`, usage);
}

/** Prints the message of an error with those of its causes, and ends the process with 1. */
export function failWith(error: unknown): never {
  console.error(textOf(error));
  process.exit(1);
}

function textOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return error.cause === undefined ? error.message : `${error.message}: ${textOf(error.cause)}`;
}
