import { finalAfterMs } from '../domain/entries.ts';
import { invalid } from './request.ts';

/** The period of a statement, ISO 8601 UTC: `from` inclusive, `to` exclusive. */
export interface Period {
  readonly from: string;
  readonly to: string;
  /** Whether no command can be booked in it any more. */
  readonly final: boolean;
}

/**
 * Returns the period that a request names. Without `to` it ends now.
 *
 * @param now epoch ms
 * @throws WalletError `invalid_request` for a period that is empty or ends in the future
 */
export function periodOf(
  { from, to = '' }: { readonly from: string; readonly to?: string | undefined },
  now: number,
): Period {
  const end = to || new Date(now).toISOString();
  if (end <= from) throw invalid([{ path: 'from', message: 'must be before to' }]);
  if (Date.parse(end) > now) throw invalid([{ path: 'to', message: 'must not be in the future' }]);
  return { from, to: end, final: Date.parse(end) + finalAfterMs <= now };
}
