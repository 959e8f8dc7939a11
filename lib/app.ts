import { App } from 'aws-cdk-lib';
import type { AppProps } from 'aws-cdk-lib';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

const settings = JSON.parse(readFileSync(join(import.meta.dirname, '..', 'cdk.json'), 'utf8')) as {
  readonly context: Record<string, unknown>;
  readonly versionReporting: boolean;
};

/**
 * Returns a CDK app for synthesis in process, with the feature flags of cdk.json. The CDK's command line reads them for
 * its own apps. Without them the same constructs make another template than the one that `cdk deploy` ships.
 */
export function newApp(props: Pick<AppProps, 'outdir' | 'builtinCloudFormationValidation'> = {}): App {
  return new App({ ...props, context: settings.context, analyticsReporting: settings.versionReporting });
}
