/** The objects of buckets as files: their content where Firehose writes, and their headers and uploads beside it. */
import { createHash, randomUUID } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { appendFile, readFile } from 'node:fs/promises';
import { dirname, join, sep } from 'node:path';

/** The name of an object. */
export interface ObjectName {
  readonly bucket: string;
  readonly key: string;
}

/** Headers that an object is stored and served with, its entity tag among them. */
export type ObjectHeaders = Readonly<Record<string, string>>;

/** An object on this machine. */
export interface StoredFile {
  readonly path: string;
  readonly bytes: number;
  readonly headers: ObjectHeaders;
}

/** The buckets of a runner. A key that leaves its bucket's folder names no object. */
export interface ObjectFolders {
  find(name: ObjectName): StoredFile | undefined;
  /** Stores an object. Returns its entity tag. */
  put(name: ObjectName, content: Buffer, headers: ObjectHeaders): string;
  /** Begins an upload. Returns its id. */
  begin(name: ObjectName, headers: ObjectHeaders): string;
  /** Stores a part of an upload. Returns its entity tag; undefined when there is no such upload. */
  putPart(uploadId: string, number: number, content: Buffer): string | undefined;
  /** Makes the object of an upload. */
  complete(uploadId: string, etags: readonly string[]): Promise<'completed' | 'NoSuchUpload' | 'InvalidPart'>;
}

const etagOf = (content: Buffer): string => `"${createHash('md5').update(content).digest('hex')}"`;

/** Opens the buckets below a folder, which has a folder for each bucket. */
export function openObjectFolders(folder: string): ObjectFolders {
  const within = (root: string, name: string): string | undefined => {
    const path = join(root, name);
    return path.startsWith(root + sep) ? path : undefined;
  };
  const own = join(folder, '.s3');
  const pathOf = ({ bucket, key }: ObjectName) =>
    /^[a-z0-9][a-z0-9.-]+$/.test(bucket) ? within(join(folder, bucket), key) : undefined;
  const headersPath = ({ bucket, key }: ObjectName) => join(own, 'headers', bucket, `${key}.json`);
  const uploadPath = (uploadId: string, name: string) =>
    /^[\w-]+$/.test(uploadId) ? join(own, 'uploads', uploadId, name) : undefined;
  const write = (path: string, content: Buffer | string) => {
    mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
    writeFileSync(`${path}.new`, content, { mode: 0o600 });
    renameSync(`${path}.new`, path);
  };

  return {
    find(name) {
      const path = pathOf(name);
      if (path === undefined || !existsSync(path) || !statSync(path).isFile()) return undefined;
      const stored = headersPath(name);
      const headers = existsSync(stored) ? (JSON.parse(readFileSync(stored, 'utf8')) as ObjectHeaders) : {};
      return { path, bytes: statSync(path).size, headers };
    },
    put(name, content, headers) {
      const path = pathOf(name);
      if (path === undefined) throw new Error(`${name.bucket}/${name.key} is no object`);
      const etag = etagOf(content);
      write(headersPath(name), JSON.stringify({ ...headers, etag }));
      write(path, content);
      return etag;
    },
    begin(name, headers) {
      const uploadId = randomUUID();
      write(join(own, 'uploads', uploadId, 'upload.json'), JSON.stringify({ name, headers }));
      return uploadId;
    },
    putPart(uploadId, number, content) {
      const path = uploadPath(uploadId, String(number));
      if (path === undefined || !existsSync(dirname(path))) return undefined;
      write(path, content);
      return etagOf(content);
    },
    async complete(uploadId, etags) {
      const path = uploadPath(uploadId, 'upload.json');
      if (path === undefined || !existsSync(path)) return 'NoSuchUpload';
      const { name, headers } = JSON.parse(readFileSync(path, 'utf8')) as { name: ObjectName; headers: ObjectHeaders };
      const target = pathOf(name);
      const whole = join(dirname(path), 'whole');
      writeFileSync(whole, '', { mode: 0o600 });
      for (const [index, etag] of etags.entries()) {
        const part = join(dirname(path), String(index + 1));
        const content = existsSync(part) ? await readFile(part) : undefined;
        if (content === undefined || etagOf(content) !== etag) return 'InvalidPart';
        await appendFile(whole, content);
      }
      if (target === undefined) return 'NoSuchUpload';
      write(headersPath(name), JSON.stringify({ ...headers, etag: `"${uploadId}-${etags.length}"` }));
      mkdirSync(dirname(target), { recursive: true, mode: 0o700 });
      renameSync(whole, target);
      rmSync(dirname(path), { recursive: true });
      return 'completed';
    },
  };
}
