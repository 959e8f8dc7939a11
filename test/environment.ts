/**
 * Sets the environment of every function, so that this process can import modules under lambdas/api and
 * lambdas/workers. Import this file before them: they read the environment while they load. No server answers at its
 * addresses.
 */
import { sampleEnvironment } from '../bench/sample-environment.ts';

for (const [variable, value] of Object.entries(sampleEnvironment)) process.env[variable] ??= value;
Object.assign(process.env, {
  AWS_REGION: 'us-east-1',
  AWS_ACCESS_KEY_ID: 'test',
  AWS_SECRET_ACCESS_KEY: 'test',
  // The port "discard": an unintended call fails at once and does not reach AWS.
  AWS_ENDPOINT_URL: 'http://127.0.0.1:9',
  POWERTOOLS_LOG_LEVEL: 'SILENT',
  POWERTOOLS_METRICS_DISABLED: 'true',
});
