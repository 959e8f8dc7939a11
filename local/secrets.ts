/**
 * Secrets Manager secrets: generated once, kept in a file that only this user can read, served as the SDK asks. A secret
 * has its current and its previous value, as one that is rotated by storing a new value.
 */
import { randomInt, randomUUID } from 'node:crypto';
import { keep, readKept } from './files.ts';
import { ServiceError, type Input, type Service } from './services.ts';

export interface SecretSettings {
  readonly name: string;
  readonly arn: string;
  /** The value given by the template, or how to make one. */
  readonly value: string | GenerateSecretString;
}

/** AWS::SecretsManager::Secret GenerateSecretString. */
export interface GenerateSecretString {
  readonly PasswordLength?: number;
  readonly ExcludeCharacters?: string;
  readonly ExcludePunctuation?: boolean;
  readonly ExcludeLowercase?: boolean;
  readonly ExcludeUppercase?: boolean;
  readonly ExcludeNumbers?: boolean;
  readonly IncludeSpace?: boolean;
  readonly SecretStringTemplate?: string;
  readonly GenerateStringKey?: string;
}

export interface Secrets {
  create(settings: SecretSettings): void;
  /** The values by name or ARN: the current one, and the one before it while it has a stage. */
  values(id: string): readonly string[];
  readonly service: Service;
}

interface Version {
  readonly value: string;
  readonly versionId: string;
  readonly createdAt: number;
}

/** The version with the stage AWSCURRENT; `previous` has the stage AWSPREVIOUS. */
interface Stored extends Version {
  readonly previous?: Version | undefined;
}

/** @param path where values are kept; undefined keeps them in memory */
export function openSecrets(path: string | undefined, now: () => number = Date.now): Secrets {
  const kept = (readKept(path) ?? {}) as Record<string, Stored>;
  const arns = new Map<string, string>();
  const nameOf = (id: string): string => arns.get(id) ?? id;
  const newVersion = (value: string): Version => ({ value, versionId: randomUUID(), createdAt: now() });

  function store(name: string, stored: Stored): void {
    kept[name] = stored;
    keep(path, kept);
  }

  /** The secret that a request names. */
  function secretOf(input: Input): { name: string; arn: string; stored: Stored } {
    const name = nameOf(String(input['SecretId']));
    const stored = kept[name];
    const arn = [...arns.entries()].find(([, known]) => known === name)?.[0];
    if (!stored || !arn) {
      throw new ServiceError('ResourceNotFoundException', "Secrets Manager can't find the specified secret.");
    }
    return { name, arn, stored };
  }

  const operations: Record<string, (input: Input) => object> = {
    GetSecretValue(input) {
      const { name, arn, stored } = secretOf(input);
      const stage = input['VersionStage'] ?? (input['VersionId'] === undefined ? current : undefined);
      const found = versionsOf(stored).find(
        (one) =>
          (stage === undefined || one.stage === stage) &&
          (input['VersionId'] === undefined || one.versionId === input['VersionId']),
      );
      if (!found) {
        throw new ServiceError('ResourceNotFoundException', "Secrets Manager can't find the specified secret value.");
      }
      return {
        ARN: arn,
        Name: name,
        VersionId: found.versionId,
        VersionStages: [found.stage],
        SecretString: found.value,
        CreatedDate: found.createdAt / 1000,
      };
    },
    PutSecretValue(input) {
      const { name, arn, stored } = secretOf(input);
      const { SecretString: value, VersionStages: asked } = input;
      if (typeof value !== 'string' || asked !== undefined) {
        throw new ServiceError('InvalidRequestException', 'only a SecretString for the stage AWSCURRENT is supported');
      }
      const next = newVersion(value);
      const { previous: _dropped, ...previous } = stored;
      store(name, { ...next, previous });
      return { ARN: arn, Name: name, VersionId: next.versionId, VersionStages: [current] };
    },
    UpdateSecretVersionStage(input) {
      const { name, arn, stored } = secretOf(input);
      const { previous: dropped, ...rest } = stored;
      const { VersionStage: stage, RemoveFromVersionId: from, MoveToVersionId: to } = input;
      if (stage !== before || to !== undefined || dropped?.versionId !== from) {
        throw new ServiceError('InvalidParameterException', `only removing ${before} from its version is supported`);
      }
      store(name, rest);
      return { ARN: arn, Name: name };
    },
    ListSecretVersionIds(input) {
      const { name, arn, stored } = secretOf(input);
      const versions = versionsOf(stored).map(({ versionId, stage, createdAt }) => ({
        VersionId: versionId,
        VersionStages: [stage],
        CreatedDate: createdAt / 1000,
      }));
      return { ARN: arn, Name: name, Versions: versions };
    },
  };

  return {
    create({ name, arn, value }) {
      arns.set(arn, name);
      store(name, typeof value === 'string' ? newVersion(value) : (kept[name] ?? newVersion(generate(value))));
    },
    values(id) {
      const stored = kept[nameOf(id)];
      return stored ? versionsOf(stored).map(({ value }) => value) : [];
    },
    service(operation, input) {
      const answer = operations[operation];
      if (!answer) {
        throw new ServiceError('InvalidRequestException', `the operation ${operation} is not supported`);
      }
      return answer(input);
    },
  };
}

const current = 'AWSCURRENT';
const before = 'AWSPREVIOUS';

function versionsOf(stored: Stored): (Version & { readonly stage: string })[] {
  const { previous } = stored;
  return [{ ...stored, stage: current }, ...(previous ? [{ ...previous, stage: before }] : [])];
}

function generate(settings: GenerateSecretString): string {
  const alphabet = [
    settings.ExcludeLowercase ? '' : 'abcdefghijklmnopqrstuvwxyz',
    settings.ExcludeUppercase ? '' : 'ABCDEFGHIJKLMNOPQRSTUVWXYZ',
    settings.ExcludeNumbers ? '' : '0123456789',
    settings.ExcludePunctuation ? '' : '!"#$%&\'()*+,-./:;<=>?@[\\]^_`{|}~',
    settings.IncludeSpace ? ' ' : '',
  ]
    .join('')
    .split('')
    .filter((character) => !settings.ExcludeCharacters?.includes(character));
  if (alphabet.length === 0) throw new Error('a generated secret excludes every character');
  const length = settings.PasswordLength ?? 32;
  const password = Array.from({ length }, () => alphabet[randomInt(alphabet.length)] ?? '').join('');
  if (!settings.GenerateStringKey) return password;
  const template = JSON.parse(settings.SecretStringTemplate ?? '{}') as object;
  return JSON.stringify({ ...template, [settings.GenerateStringKey]: password });
}
