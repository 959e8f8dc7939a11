/** `Invoke` of Lambda's API, for an answer (`RequestResponse`). */
import { ServiceError } from '../machine/endpoint.ts';
import type { PathService } from '../machine/endpoint.ts';
import { FunctionError } from './function-thread.ts';
import type { Functions } from './functions.ts';

const invocation = /^\/2015-03-31\/functions\/([^/]+)\/invocations$/;

/** Returns the service that invokes functions by their names or ARNs. */
export function invokePath(functions: Pick<Functions, 'byName' | 'byArn'>): PathService {
  return (method, path, body) => {
    const [, name] = method === 'POST' ? (invocation.exec(path) ?? []) : [];
    return name === undefined ? undefined : invoke(functions, decodeURIComponent(name), body);
  };
}

async function invoke(functions: Pick<Functions, 'byName' | 'byArn'>, name: string, body: string) {
  const target = functions.byName(name) ?? functions.byArn(name);
  if (!target) throw new ServiceError('ResourceNotFoundException', `Function not found: ${name}`, undefined, 404);
  try {
    return { body: JSON.stringify((await target.invoke(JSON.parse(body || '{}'), 'event')) ?? null) };
  } catch (error) {
    if (!(error instanceof FunctionError)) throw error;
    return {
      body: JSON.stringify({ errorType: error.errorType, errorMessage: error.message }),
      headers: { 'x-amz-function-error': 'Unhandled' },
    };
  }
}
