import { readFileSync } from 'node:fs';
import { join } from 'node:path';

const root = join(import.meta.dirname, '..');

/** Returns the arguments with which `npm run NAME` starts Node.js: its flags, and the file. */
export function nodeArguments(name: string): string[] {
  const { scripts } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as {
    scripts: Readonly<Record<string, string>>;
  };
  const [node, ...args] = (scripts[name] ?? '').split(' ');
  const file = args.pop();
  if (node !== 'node' || file === undefined) throw new Error(`npm run ${name} does not start Node.js`);
  return [...args, join(root, file)];
}
