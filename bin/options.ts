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
    console.error(`${error instanceof Error ? error.message : String(error)}\n\n${usage}`);
    process.exit(1);
  }
}
