/**
 * Stands in for `@aws-sdk/credential-provider-node` in bundles. Lambda and the local runner give a function its
 * credentials in the environment, and they stay the same until the process ends. The SDK's own chain can also ask
 * profiles, other services of AWS and the metadata of a machine. Loading that code takes about a fifth of a cold start.
 */
export function defaultProvider(): () => Promise<{
  accessKeyId: string;
  secretAccessKey: string;
  sessionToken?: string;
}> {
  return () => {
    const { AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_SESSION_TOKEN } = process.env;
    if (!AWS_ACCESS_KEY_ID || !AWS_SECRET_ACCESS_KEY) {
      return Promise.reject(new Error('the environment has no AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY'));
    }
    return Promise.resolve({
      accessKeyId: AWS_ACCESS_KEY_ID,
      secretAccessKey: AWS_SECRET_ACCESS_KEY,
      ...(AWS_SESSION_TOKEN && { sessionToken: AWS_SESSION_TOKEN }),
    });
  };
}
