import { startRunner } from '../../../local/runner/runner.ts';
import { FixtureStack } from './stack.ts';
import { synthesized } from './synthesized.ts';

const [dataDir] = process.argv.slice(2);
const { aws, resources } = await startRunner({
  synthesize: synthesized((app) => new FixtureStack(app, 'Fixture')),
  dataDir,
});
console.log(JSON.stringify({ aws, resources }));
