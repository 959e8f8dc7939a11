/**
 * The environment of every function, so that modules under lambdas/api and lambdas/workers can be imported in this
 * process. Import it before them: they read it while they load. Nothing answers at its addresses.
 */
import { sampleEnvironment } from './sample-environment.ts';

for (const [variable, value] of Object.entries(sampleEnvironment)) process.env[variable] ??= value;
Object.assign(process.env, {
  AWS_REGION: 'us-east-1',
  AWS_ACCESS_KEY_ID: 'test',
  AWS_SECRET_ACCESS_KEY: 'test',
  // The port "discard": a call that a test did not mean to make fails at once, instead of reaching AWS.
  AWS_ENDPOINT_URL: 'http://127.0.0.1:9',
  POWERTOOLS_LOG_LEVEL: 'SILENT',
  POWERTOOLS_METRICS_DISABLED: 'true',
});
