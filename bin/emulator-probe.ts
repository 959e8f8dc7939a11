/** Which emulator of AWS answers at a URL, and whether the stack can run on it. */

/** The oldest release of MiniStack that the stack was deployed on. */
const oldestMiniStack = '1.5.33';
const probeTimeoutMs = 5_000;

/** The error of an address that cannot run the stack. Its message says why. */
class EmulatorError extends Error {
  override readonly name = 'EmulatorError';
}

interface Health {
  readonly version: string;
  readonly edition: string;
  readonly services: object;
}

/** Returns the emulator's name and version. Throws EmulatorError for one that the stack cannot run on. */
export async function probeEmulator(endpoint: string): Promise<string> {
  const [ministack, localstack] = [await healthAt(endpoint, '_ministack'), await healthAt(endpoint, '_localstack')];
  if (ministack) {
    if (isOlder(ministack.version, oldestMiniStack)) {
      throw new EmulatorError(
        `MiniStack ${ministack.version} at ${endpoint} is too old: the stack needs ${oldestMiniStack} or later`,
      );
    }
    return `MiniStack ${ministack.version}`;
  }
  if (!localstack) {
    throw new EmulatorError(
      `the server at ${endpoint} is neither MiniStack nor LocalStack: docs/local-testing.md says how to start one`,
    );
  }
  if (/community/i.test(localstack.edition)) {
    throw new EmulatorError(
      `LocalStack ${localstack.version} at ${endpoint} is the free edition, whose API Gateway has no authorizers: use MiniStack`,
    );
  }
  return `LocalStack ${localstack.version}`;
}

/** Returns the health of an emulator; undefined when the server has no such route. */
async function healthAt(endpoint: string, product: string): Promise<Health | undefined> {
  let response: Response;
  try {
    response = await fetch(`${endpoint}/${product}/health`, { signal: AbortSignal.timeout(probeTimeoutMs) });
  } catch (error) {
    throw new EmulatorError(
      `no emulator answers at ${endpoint}: start one (docs/local-testing.md), or name another with --endpoint`,
      { cause: error },
    );
  }
  const health = (await response.json().catch(() => undefined)) as Partial<Health> | undefined;
  if (!response.ok || typeof health?.services !== 'object' || typeof health.version !== 'string') return undefined;
  return { version: health.version, edition: health.edition ?? '', services: health.services };
}

function isOlder(version: string, than: string): boolean {
  return version.localeCompare(than, 'en', { numeric: true }) < 0;
}
