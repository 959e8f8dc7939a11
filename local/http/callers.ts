/** The callers that a server of this machine refuses: pages of other sites, which a browser here has open. */
import type { IncomingHttpHeaders } from 'node:http';

/** Names of this machine that no other site can have. */
const ownNames: readonly string[] = ['127.0.0.1', 'localhost', '[::1]'];

/** A refusal in words for a person. */
export interface CallerRefusal {
  readonly code: 'unknown_host' | 'foreign_page';
  readonly message: string;
}

/**
 * Returns the refusal of a request whose `Host` names another machine; undefined for a name of this one. A site can let
 * its own name point to 127.0.0.1. Its page is then of the same origin as this server, and could read tokens.
 *
 * @param otherName a further name of this machine
 */
export function refusalOfHost({ host = '' }: IncomingHttpHeaders, otherName?: string): CallerRefusal | undefined {
  const name = host.replace(/:\d*$/, '').toLowerCase();
  if (ownNames.includes(name) || name === otherName?.toLowerCase()) return undefined;
  return {
    code: 'unknown_host',
    message: `requests must name 127.0.0.1, localhost or [::1] as their host, received "${host.slice(0, 100)}". If that is a name of this machine, restart the command with --host and this name without its port`,
  };
}

/**
 * Returns the refusal of a request that a page of another site sent; undefined for other requests. Such a page can read
 * no answer, but a form or a plain text needs no permission to be sent.
 */
export function refusalOfPage({ host, origin }: IncomingHttpHeaders): CallerRefusal | undefined {
  if (origin === undefined) return undefined;
  const url = URL.parse(origin);
  if (url && (url.host === host || ownNames.includes(url.hostname))) return undefined;
  return {
    code: 'foreign_page',
    message: `pages of other sites may not change this machine: the request is from ${origin.slice(0, 100)}`,
  };
}
