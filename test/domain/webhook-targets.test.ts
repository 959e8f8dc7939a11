/** Where deliveries may go: hostile URLs, addresses and names. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { closeSync, mkdtempSync, openSync, rmSync } from 'node:fs';
import { open as openFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, it } from '@jest/globals';
import { openPoster } from '../../lambdas/webhooks/post.ts';
import { defectOf, isPublic, longestUrl, publicLookup, resolveByServers } from '../../lambdas/webhooks/target.ts';
import { afterTest } from '../fixture.ts';

/** Networks that no delivery may reach, by their first and last address. */
const refusedNetworks = [
  ['0.0.0.0', '0.255.255.255'],
  ['10.0.0.0', '10.255.255.255'],
  ['100.64.0.0', '100.127.255.255'],
  ['127.0.0.0', '127.255.255.255'],
  ['169.254.0.0', '169.254.255.255'],
  ['172.16.0.0', '172.31.255.255'],
  ['192.0.0.0', '192.0.0.255'],
  ['192.168.0.0', '192.168.255.255'],
  ['198.18.0.0', '198.19.255.255'],
  ['224.0.0.0', '255.255.255.255'],
] as const;

const numberOf = (address: string) => address.split('.').reduce((number, part) => number * 256 + Number(part), 0);
const dotted = (number: number) => [24, 16, 8, 0].map((bits) => Math.floor(number / 2 ** bits) % 256).join('.');

const refusedAddress = fc
  .constantFrom(...refusedNetworks)
  .chain(([first, last]) => fc.integer({ min: numberOf(first), max: numberOf(last) }));

/** The ways to write an IPv4 address in a URL, and to carry it in an address of IPv6. */
const writings: readonly ((number: number) => string)[] = [
  dotted,
  String,
  (number) => `0x${number.toString(16)}`,
  (number) => `0${number.toString(8)}`,
  (number) =>
    dotted(number)
      .split('.')
      .map((part) => `0x${Number(part).toString(16)}`)
      .join('.'),
  (number) => `${dotted(number)}.`,
  (number) => encodeURIComponent(dotted(number)).replace('1', '%31'),
  (number) => dotted(number).replaceAll('.', '。'),
  (number) => `[::ffff:${dotted(number)}]`,
  (number) => `[::${dotted(number)}]`,
  (number) => `[64:ff9b::${dotted(number)}]`,
  (number) =>
    `[2002:${number
      .toString(16)
      .padStart(8, '0')
      .replace(/(....)$/, ':$1')}::1]`,
];

describe('the address of a receiver', () => {
  it('is public: none of a private network, in any writing', () => {
    fc.assert(
      fc.property(refusedAddress, fc.constantFrom(...writings), (number, write) => {
        const url = `https://${write(number)}/path`;
        assert.ok(defectOf(url, 'public') !== undefined, url);
        assert.ok(defectOf(url, 'loopback') !== undefined, url);
        assert.equal(isPublic(dotted(number)), false);
        assert.equal(isPublic(`::ffff:${dotted(number)}`), false);
      }),
      { numRuns: 2_000 },
    );
  });

  it('is none of the special addresses of IPv6', () => {
    const special = ['::', '::1', 'fc00::1', 'fd00:ec2::254', 'fe80::1', 'fe80::1%eth0', 'fec0::1', 'ff02::1'];
    const carrying = [
      '::ffff:8.8.8.8',
      '::ffff:0:8.8.8.8',
      '64:ff9b::808:808',
      '64:ff9b:1::1',
      '2001::1',
      '2002:7f00:1::',
    ];
    for (const address of [...special, ...carrying, '2001:db8::1', '100::1', '3fff::1', 'nonsense', '']) {
      assert.equal(isPublic(address), false, address);
    }
    for (const address of ['8.8.8.8', '1.1.1.1', '172.32.0.1', '100.128.0.1', '2606:4700::1111', '2a00:1450:4001::1']) {
      assert.equal(isPublic(address), true, address);
    }
  });
});

describe('the URL of a receiver', () => {
  it('is https on port 443, with neither a user nor a fragment', () => {
    for (const url of [
      'https://a.example',
      'https://a.example:443/x?y=z',
      'https://8.8.8.8/',
      'https://[2606:4700::1111]/',
    ]) {
      assert.equal(defectOf(url, 'public'), undefined, url);
    }
    const wrong = [
      '',
      'a.example',
      '/path',
      'http://a.example',
      'ftp://a.example',
      'file:///etc/passwd',
      'javascript:1',
    ];
    const parts = ['https://a.example:8443', 'https://a.example:22', 'https://u@a.example', 'https://u:p@a.example'];
    const long = `https://a.example/${'x'.repeat(longestUrl)}`;
    for (const url of [...wrong, ...parts, 'https://a.example/#x', 'https://', long]) {
      assert.ok(defectOf(url, 'public') !== undefined, url);
    }
  });

  it('may be http at 127.0.0.1 only where a setting says so', () => {
    assert.ok(defectOf('http://127.0.0.1:8080/', 'public') !== undefined);
    assert.equal(defectOf('http://127.0.0.1:8080/', 'loopback'), undefined);
    for (const url of [
      'http://localhost:8080/',
      'http://127.0.0.2/',
      'http://[::1]/',
      'http://a.example/',
      'https://127.0.0.1/',
    ]) {
      assert.ok(defectOf(url, 'loopback') !== undefined, url);
    }
  });

  it('never makes the check fail, whatever it is', () => {
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string(),
          fc.webUrl(),
          fc.string().map((text) => `https://${text}`),
        ),
        (text) => {
          const defect = defectOf(text, 'public');
          assert.ok(defect !== undefined || new URL(text).protocol === 'https:');
        },
      ),
    );
  });
});

describe('a connection', () => {
  const lookUp = (addresses: readonly string[], all: boolean) =>
    new Promise((resolve) => {
      const found = addresses.map((address) => ({ address, family: address.includes(':') ? 6 : 4 }));
      const lookup = publicLookup((_name, callback) => {
        callback(null, found);
      });
      lookup('a.example', { all }, (error, address) => {
        resolve(error === null ? address : error.name);
      });
    });

  it('goes to the addresses that were checked, and to none when one of them is not public', async () => {
    assert.equal(await lookUp(['8.8.8.8'], false), '8.8.8.8');
    assert.deepEqual(await lookUp(['8.8.8.8', '2606:4700::1111'], true), [
      { address: '8.8.8.8', family: 4 },
      { address: '2606:4700::1111', family: 6 },
    ]);
    assert.equal(await lookUp(['8.8.8.8', '169.254.169.254'], true), 'AddressRefused');
    assert.equal(await lookUp(['::ffff:127.0.0.1'], false), 'AddressRefused');
    assert.equal(await lookUp([], false), 'Error');
  });

  it('looks a name up once, so that a second answer with another address is never asked for', async () => {
    let connections = 0;
    const server = createServer(() => undefined).on('connection', () => (connections += 1));
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    afterTest(() => server.close());
    let asked = 0;
    const poster = openPoster({
      targets: 'loopback',
      connections: 1,
      resolve: (_name, callback) => {
        asked += 1;
        callback(null, [{ address: '127.0.0.1', family: 4 }]);
      },
    });
    afterTest(() => {
      poster.close();
    });
    const outcome = await poster.post({ url: 'https://rebound.example/', headers: {}, body: '{}' });
    assert.deepEqual([outcome, asked, connections], [{ failure: 'address_refused' }, 1, 0]);
    const { port } = server.address() as AddressInfo;
    const direct = await poster.post({ url: `https://127.0.0.1:${port}/`, headers: {}, body: '{}' });
    assert.deepEqual([direct, asked, connections], [{ failure: 'address_refused' }, 1, 0]);
  });

  it('needs no thread for a name, so that names which hang stop no other endpoint', async () => {
    const server = createSocket('udp4').bind(0, '127.0.0.1');
    await once(server, 'listening');
    server.on('message', (question, { port, address }) => {
      server.send(answerTo(question), port, address);
    });
    afterTest(() => server.close());
    const release = takeAllThreads();
    afterTest(release);
    const resolve = resolveByServers([`127.0.0.1:${String(server.address().port)}`]);
    const found = await new Promise((done) => {
      resolve('shop.example', (error, addresses) => {
        done(error ?? addresses);
      });
    });
    assert.deepEqual(found, [{ address: '8.8.4.4', family: 4 }]);
    const none = await new Promise<NodeJS.ErrnoException | null>((done) => {
      resolve('none.example', done);
    });
    assert.equal(none?.code, 'ENOTFOUND');
  });
});

/** Answers a question of DNS: `8.8.4.4` for an A of `shop.example`, nothing for its AAAA, and no other name exists. */
function answerTo(question: Buffer): Buffer {
  const end = question.indexOf(0, 12) + 5;
  const [isKnown, isFour] = [question.includes('shop'), question.readUInt16BE(end - 4) === 1];
  const answers = isKnown && isFour ? 1 : 0;
  const flags = Buffer.from([0x81, isKnown ? 0x80 : 0x83, 0, 1, 0, answers, 0, 0, 0, 0]);
  const record = Buffer.from([0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 60, 0, 4, 8, 8, 4, 4]);
  const parts = [question.subarray(0, 2), flags, question.subarray(12, end), ...(answers === 1 ? [record] : [])];
  return Buffer.concat(parts);
}

/** More than there are threads, whatever `UV_THREADPOOL_SIZE` says. */
const mostThreads = 64;

/** Keeps all threads for files and look-ups busy. Returns a function that frees them. */
function takeAllThreads(): () => Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'threads-'));
  const pipe = join(folder, 'pipe');
  execFileSync('mkfifo', [pipe]);
  // The opening of a pipe waits for its other end.
  const opened = Array.from({ length: mostThreads }, () => openFile(pipe, 'r'));
  return async () => {
    const other = openSync(pipe, 'r+');
    for (const file of await Promise.all(opened)) await file.close();
    closeSync(other);
    rmSync(folder, { recursive: true });
  };
}
