import type { App } from 'aws-cdk-lib';
import { newApp } from '../../../lib/app.ts';

/** Returns what writes the cloud assembly of an app to a folder. `build` adds the app's stack. */
export function synthesized(build: (app: App) => unknown): (outdir: string) => void {
  return (outdir) => {
    const app = newApp({ outdir, builtinCloudFormationValidation: false });
    build(app);
    app.synth();
  };
}
