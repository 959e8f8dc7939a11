import { discrepancyKinds } from '../../lambdas/domain/discrepancy.ts';
import { KnownDiscrepancies } from '../../lambdas/integrity/known.ts';
import type { KnownDiscrepancy } from '../../lambdas/integrity/known.ts';
import { getState, putState } from '../../lambdas/store/integrity.ts';
import { UsageError } from '../command.ts';
import type { OpsOptions, Report, Target } from './target.ts';

/** Longest name and evidence, in characters. */
const longest = { by: 100, evidence: 300 };
/** How often the list is read again because the job has stored it meanwhile. */
const tries = 10;

/**
 * Acknowledges a discrepancy in the books: the alarm no longer counts it. It stays on the list, with name and evidence,
 * until a whole pass has not found it again. Nothing in the books changes.
 */
export async function acknowledge({ entries }: Target, options: OpsOptions): Promise<Report> {
  const { subject, kind, hour, bank } = options;
  if (subject === undefined) {
    throw new UsageError('acknowledge needs the subject of a discrepancy: npm run ops -- doctor lists them');
  }
  if (kind !== undefined && !discrepancyKinds.some((one) => one === kind)) {
    throw new UsageError(`--kind must be one of ${discrepancyKinds.join(', ')}, received "${kind}"`);
  }
  const [by, evidence] = [textOf('by', options.by), textOf('evidence', options.evidence)];
  for (let n = 0; n < tries; n++) {
    const stored = await getState(entries, 'known');
    const known = new KnownDiscrepancies(stored?.text);
    const one = onlyOne(known.find(subject, kind, hour, bank), subject);
    one.acknowledged = { by, evidence, at: new Date(entries.now()).toISOString() };
    if (!known.hasRoomToAcknowledge) {
      throw new UsageError('not acknowledged: too many are acknowledged already. Resolve some of them');
    }
    if ((await putState(entries, 'known', known.text(), stored?.revision)) !== undefined) {
      return {
        lines: [
          `${nameOf(one)}: acknowledged by ${by}. ${String(known.open.length)} others are open.`,
          'The alarm follows with the next run of the check, within a quarter of an hour.',
        ],
        data: { ...one, open: known.open.length },
      };
    }
  }
  throw new UsageError('not acknowledged: the check of the books stores its list all the time; try again in a minute');
}

function textOf(name: keyof typeof longest, value: string | undefined): string {
  const text = value?.trim() ?? '';
  if (text.length >= 1 && text.length <= longest[name]) return text;
  throw new UsageError(`acknowledge needs --${name} with 1 to ${String(longest[name])} characters`);
}

function onlyOne([one, ...others]: readonly KnownDiscrepancy[], subject: string): KnownDiscrepancy {
  if (one === undefined) throw new UsageError(`no discrepancy of "${subject}" is on the list: npm run ops -- doctor`);
  if (others.length === 0) return one;
  const names = [one, ...others].map(nameOf).join('; ');
  throw new UsageError(
    `"${subject}" has several discrepancies, add --kind, --hour or --bank (none: the one without an hour or bank): ${names}`,
  );
}

function nameOf({ kind, subject, hour, bankId }: KnownDiscrepancy): string {
  const ofBank = bankId === undefined ? '' : ` of the bank ${bankId}`;
  return `${kind} ${subject}${hour === undefined ? '' : ` in the hour ${hour}`}${ofBank}`;
}
