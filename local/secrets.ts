/** Secrets Manager secrets: generated once, kept in a file that only this user can read, served as the SDK asks. */
import { randomInt, randomUUID } from 'node:crypto';
import { keep, readKept } from './files.ts';
import { ServiceError, type Service } from './services.ts';

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
  /** The value by name or ARN. */
  value(id: string): string | undefined;
  readonly service: Service;
}

interface Stored {
  readonly value: string;
  readonly versionId: string;
  readonly createdAt: number;
}

/** @param path where values are kept; undefined keeps them in memory */
export function openSecrets(path: string | undefined): Secrets {
  const kept = (readKept(path) ?? {}) as Record<string, Stored>;
  const arns = new Map<string, string>();
  const nameOf = (id: string): string => arns.get(id) ?? id;
  return {
    create({ name, arn, value }) {
      arns.set(arn, name);
      kept[name] =
        typeof value === 'string'
          ? { value, versionId: randomUUID(), createdAt: Date.now() }
          : (kept[name] ?? { value: generate(value), versionId: randomUUID(), createdAt: Date.now() });
      keep(path, kept);
    },
    value: (id) => kept[nameOf(id)]?.value,
    service(operation, input) {
      if (operation !== 'GetSecretValue') {
        throw new ServiceError('InvalidRequestException', `the operation ${operation} is not supported`);
      }
      const id = String(input['SecretId']);
      const name = nameOf(id);
      const stored = kept[name];
      const arn = [...arns.entries()].find(([, known]) => known === name)?.[0];
      if (!stored || !arn) {
        throw new ServiceError('ResourceNotFoundException', "Secrets Manager can't find the specified secret.");
      }
      return {
        ARN: arn,
        Name: name,
        VersionId: stored.versionId,
        VersionStages: ['AWSCURRENT'],
        SecretString: stored.value,
        CreatedDate: stored.createdAt / 1000,
      };
    },
  };
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
