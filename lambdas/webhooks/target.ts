import { promises as dns } from 'node:dns';
import type { LookupAddress } from 'node:dns';
import { BlockList, isIP } from 'node:net';
import type { LookupFunction } from 'node:net';

/**
 * The receivers that a service may call. `public`: https on port 443, at public addresses. `loopback`: also http at
 * 127.0.0.1, for a service and a receiver on one machine.
 */
export const targetKinds = ['public', 'loopback'] as const;
export type Targets = (typeof targetKinds)[number];

export const longestUrl = 1_024;

/** Returns the defect of the URL of an endpoint, as a part of a sentence; undefined when there is none. */
export function defectOf(text: string, targets: Targets): string | undefined {
  if (text.length > longestUrl) return `must have at most ${longestUrl} characters`;
  if (!URL.canParse(text)) return 'must be an absolute URL';
  const url = new URL(text);
  if (url.username !== '' || url.password !== '') return 'must have no user and no password';
  if (url.hash !== '') return 'must have no fragment';
  if (isLoopback(url, targets)) return undefined;
  if (url.protocol !== 'https:') return 'must begin with https://';
  // The URL's parser leaves out the port of its scheme.
  if (url.port !== '') return 'must use port 443';
  const host = url.hostname.replace(/^\[|\]$/g, '');
  if (isIP(host) !== 0 && !isPublic(host)) return 'must name a public address';
  return undefined;
}

/** Returns whether a URL is that of a receiver on this machine, and the service may call it. */
export function isLoopback(url: URL, targets: Targets): boolean {
  return targets === 'loopback' && url.protocol === 'http:' && url.hostname === '127.0.0.1';
}

const notPublic = new BlockList();
for (const [network, prefix] of [
  ['0.0.0.0', 8],
  ['10.0.0.0', 8],
  // Shared by the customers of a carrier (RFC 6598).
  ['100.64.0.0', 10],
  ['127.0.0.0', 8],
  // Link-local, with the metadata of machines and containers.
  ['169.254.0.0', 16],
  ['172.16.0.0', 12],
  ['192.0.0.0', 24],
  ['192.0.2.0', 24],
  ['192.88.99.0', 24],
  ['192.168.0.0', 16],
  ['198.18.0.0', 15],
  ['198.51.100.0', 24],
  ['203.0.113.0', 24],
  // Multicast, reserved, and broadcast.
  ['224.0.0.0', 3],
] as const) {
  notPublic.addSubnet(network, prefix, 'ipv4');
}
for (const [network, prefix] of [
  // Teredo, ORCHID and others of the IETF; some carry an IPv4 address.
  ['2001::', 23],
  ['2001:db8::', 32],
  // 6to4 carries an IPv4 address.
  ['2002::', 16],
  ['3fff::', 20],
] as const) {
  notPublic.addSubnet(network, prefix, 'ipv6');
}
/** The addresses of IPv6 that are given out. Outside are loopback, local, mapped and translated ones. */
const givenOut = new BlockList();
givenOut.addSubnet('2000::', 3, 'ipv6');

/** Returns whether a text is an IP address that any host on the Internet may have. */
export function isPublic(address: string): boolean {
  switch (isIP(address)) {
    case 4:
      return !notPublic.check(address, 'ipv4');
    case 6:
      return !address.includes('%') && givenOut.check(address, 'ipv6') && !notPublic.check(address, 'ipv6');
    default:
      return false;
  }
}

/** The error of a name whose addresses are not all public. */
export class AddressRefused extends Error {
  override readonly name = 'AddressRefused';
}

/** Resolves a name to all its addresses. */
export type Resolve = (
  hostname: string,
  callback: (error: NodeJS.ErrnoException | null, addresses: readonly LookupAddress[]) => void,
) => void;

/** Time for one question to a name server, ms, and how often it is asked. */
const dnsTimeoutMs = 2_000;
const dnsTries = 2;

/**
 * Returns a function that asks name servers itself. The look-up of the system takes one of four threads until it has its
 * answer: four names that hang would stop the connections of all endpoints of a worker.
 *
 * @param servers absent: those of this machine
 */
export function resolveByServers(servers?: readonly string[]): Resolve {
  const resolver = new dns.Resolver({ timeout: dnsTimeoutMs, tries: dnsTries });
  if (servers) resolver.setServers(servers);
  return (hostname, callback) => {
    void Promise.allSettled([resolver.resolve4(hostname), resolver.resolve6(hostname)]).then(([four, six]) => {
      const addresses = [
        ...(four.status === 'fulfilled' ? four.value : []).map((address) => ({ address, family: 4 })),
        ...(six.status === 'fulfilled' ? six.value : []).map((address) => ({ address, family: 6 })),
      ];
      const error = four.status === 'rejected' ? (four.reason as NodeJS.ErrnoException) : null;
      callback(addresses.length === 0 ? error : null, addresses);
    });
  };
}

/**
 * Returns the look-up of a connection. The connection goes to the addresses that are checked here, and no name is looked
 * up a second time. So a name that changes its address in between gains nothing.
 */
export function publicLookup(resolve: Resolve = resolveByServers()): LookupFunction {
  return (hostname, options, callback) => {
    resolve(hostname, (error, addresses) => {
      const [first] = addresses;
      if (error !== null || first === undefined) {
        callback(error ?? new Error(`${hostname} has no address`), '');
      } else if (!addresses.every(({ address }) => isPublic(address))) {
        callback(new AddressRefused('an address of the host is not public'), '');
      } else if (options.all === true) {
        callback(null, [...addresses]);
      } else {
        callback(null, first.address, first.family);
      }
    });
  };
}
