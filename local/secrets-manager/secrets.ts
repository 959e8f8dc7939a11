/**
 * Secrets Manager secrets: generated once, kept in a file that only this user can read, served as the SDK asks. A secret
 * has its current and its previous value, as one that is rotated by storing a new value.
 */
import { randomInt, randomUUID } from 'node:crypto';
import { ServiceError } from '../machine/endpoint.ts';
import type { Input, JsonService } from '../machine/endpoint.ts';
import { keep, readKept } from '../storage/files.ts';

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
  /** Returns the values by name or ARN: the current one, and the one before it while it has a stage. */
  values(id: string): readonly string[];
  readonly service: JsonService;
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

const current = 'AWSCURRENT';
const before = 'AWSPREVIOUS';

/**
 * Opens the secrets.
 *
 * @param path the file of their values; undefined: memory
 */
export function openSecrets(path: string | undefined, now: () => number = Date.now): Secrets {
  return new LocalSecrets(path, now);
}

class LocalSecrets implements Secrets {
  readonly #path: string | undefined;
  readonly #now: () => number;
  /** By name. */
  readonly #kept: Record<string, Stored>;
  /** Names by ARN. */
  readonly #names = new Map<string, string>();

  constructor(path: string | undefined, now: () => number) {
    this.#path = path;
    this.#now = now;
    this.#kept = (readKept(path) ?? {}) as Record<string, Stored>;
  }

  create({ name, arn, value }: SecretSettings): void {
    this.#names.set(arn, name);
    const isGiven = typeof value === 'string';
    this.#store(name, isGiven ? this.#version(value) : (this.#kept[name] ?? this.#version(generate(value))));
  }

  values(id: string): readonly string[] {
    const stored = this.#kept[this.#nameOf(id)];
    return stored ? versionsOf(stored).map(({ value }) => value) : [];
  }

  readonly service: JsonService = (operation, input) => {
    switch (operation) {
      case 'GetSecretValue':
        return this.#getValue(input);
      case 'PutSecretValue':
        return this.#putValue(input);
      case 'UpdateSecretVersionStage':
        return this.#removePrevious(input);
      case 'ListSecretVersionIds':
        return this.#listVersions(input);
      default:
        throw new ServiceError('InvalidRequestException', `the operation ${operation} is not supported`);
    }
  };

  #getValue(input: Input): object {
    const { name, arn, stored } = this.#secretOf(input);
    const id = input['VersionId'];
    const stage = input['VersionStage'] ?? (id === undefined ? current : undefined);
    const found = versionsOf(stored).find(
      (one) => (stage === undefined || one.stage === stage) && (id === undefined || one.versionId === id),
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
  }

  #putValue(input: Input): object {
    const { name, arn, stored } = this.#secretOf(input);
    const { SecretString: value, VersionStages: asked } = input;
    if (typeof value !== 'string' || asked !== undefined) {
      throw new ServiceError('InvalidRequestException', 'only a SecretString for the stage AWSCURRENT is supported');
    }
    const next = this.#version(value);
    const { previous: _dropped, ...previous } = stored;
    this.#store(name, { ...next, previous });
    return { ARN: arn, Name: name, VersionId: next.versionId, VersionStages: [current] };
  }

  #removePrevious(input: Input): object {
    const { name, arn, stored } = this.#secretOf(input);
    const { previous: dropped, ...rest } = stored;
    const { VersionStage: stage, RemoveFromVersionId: from, MoveToVersionId: to } = input;
    if (stage !== before || to !== undefined || dropped?.versionId !== from) {
      throw new ServiceError('InvalidParameterException', `only removing ${before} from its version is supported`);
    }
    this.#store(name, rest);
    return { ARN: arn, Name: name };
  }

  #listVersions(input: Input): object {
    const { name, arn, stored } = this.#secretOf(input);
    const versions = versionsOf(stored).map(({ versionId, stage, createdAt }) => ({
      VersionId: versionId,
      VersionStages: [stage],
      CreatedDate: createdAt / 1000,
    }));
    return { ARN: arn, Name: name, Versions: versions };
  }

  /** Returns the secret that a request names. */
  #secretOf(input: Input): { name: string; arn: string; stored: Stored } {
    const name = this.#nameOf(String(input['SecretId']));
    const stored = this.#kept[name];
    const arn = [...this.#names.entries()].find(([, known]) => known === name)?.[0];
    if (!stored || !arn) {
      throw new ServiceError('ResourceNotFoundException', "Secrets Manager can't find the specified secret.");
    }
    return { name, arn, stored };
  }

  #nameOf(id: string): string {
    return this.#names.get(id) ?? id;
  }

  #version(value: string): Version {
    return { value, versionId: randomUUID(), createdAt: this.#now() };
  }

  #store(name: string, stored: Stored): void {
    this.#kept[name] = stored;
    keep(this.#path, this.#kept);
  }
}

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
