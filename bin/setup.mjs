// Installs the dependencies where they are missing or belong to another package-lock.json, and otherwise returns at
// once. The npm scripts run it first, so that a fresh clone needs no command of its own. After every install npm runs
// it with --installed, to record which package-lock.json is in node_modules. It is plain JavaScript, because it runs on
// the machine's own node: node 24, which all other files need, is one of the dependencies. It comes as a package for
// each platform, so that package-lock.json has the integrity of the binary itself.
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, linkSync, lstatSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const modules = join(root, 'node_modules');
const stamp = join(modules, '.wallet-installed');
const lock = join(root, '.wallet', 'installing');

const wanted = createHash('sha256')
  .update(readFileSync(join(root, 'package-lock.json')))
  .digest('hex');

if (process.argv.includes('--installed')) writeFileSync(stamp, wanted);
else if (contentOf(stamp) !== wanted) setUp();

function setUp() {
  if (isLink(modules)) {
    console.error(
      'node_modules is a link to another folder, and is used as it is: package-lock.json may not be its own.',
    );
    return;
  }
  if (Number(process.versions.node.split('.')[0]) < 20) {
    fail(`Node 20 or later is needed to install (this is ${process.version}); Node 24 then comes from npm.`);
    return;
  }
  // Two simultaneous installs in one folder destroy each other: the second waits for the first.
  for (let waits = 0; !takeLock(); waits += 1) {
    if (waits === 0) console.log('Waiting for another install of the dependencies to end.');
    sleep(200);
  }
  try {
    if (contentOf(stamp) !== wanted) install();
  } finally {
    rmSync(lock, { force: true });
  }
}

function install() {
  const why = contentOf(stamp) === undefined ? 'none are installed yet' : 'package-lock.json has changed';
  console.log(`Installing dependencies (${why}); on an empty cache this takes about a minute.`);
  const { npm_execpath: npm = '' } = process.env;
  const { status, error } = npm.endsWith('npm-cli.js')
    ? spawnSync(process.execPath, [npm, 'ci'], { cwd: root, stdio: 'inherit' })
    : spawnSync('npm ci', { cwd: root, stdio: 'inherit', shell: true });
  if (status === 0) installed();
  else fail(`npm ci failed${error ? `: ${error.message}` : ''}; its own messages are above.`);
}

function installed() {
  writeFileSync(stamp, wanted);
  const hasNode = ['node', 'node.cmd'].some((name) => existsSync(join(modules, '.bin', name)));
  if (hasNode || Number(process.versions.node.split('.')[0]) >= 24) return;
  fail(
    `npm has no Node 24 for ${process.platform} on ${process.arch}: install Node 24 yourself (this is ${process.version}).`,
  );
}

/**
 * Returns whether the path is a link. Installing through a link would replace the folder that another checkout uses.
 */
function isLink(path) {
  return lstatSync(path, { throwIfNoEntry: false })?.isSymbolicLink() ?? false;
}

/** Takes the lock, which names its holder's process. A lock whose holder has ended does not count. */
function takeLock() {
  mkdirSync(dirname(lock), { recursive: true });
  const mine = `${lock}.${process.pid}`;
  writeFileSync(mine, String(process.pid));
  try {
    linkSync(mine, lock);
    return true;
  } catch (error) {
    if (error.code !== 'EEXIST') throw error;
    const holder = contentOf(lock);
    if (holder === undefined || isRunning(Number(holder))) return false;
    rmSync(lock, { force: true });
    return takeLock();
  } finally {
    rmSync(mine, { force: true });
  }
}

function isRunning(pid) {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error.code === 'EPERM';
  }
}

function contentOf(file) {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return undefined;
  }
}

function sleep(delayMs) {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, delayMs);
}

function fail(message) {
  console.error(message);
  process.exitCode = 1;
}
