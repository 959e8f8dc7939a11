/** The view of a split: for the caller who asks for it. Each leg is seen as a transaction is. */
import type * as z from 'zod';
import type { Split } from '../domain/split.ts';
import type { namedSchemas } from './answer-schemas.ts';
import { transactionView } from './transaction-view.ts';
import { shown } from './view.ts';
import type { Audience, View } from './view.ts';

/** The audiences of splits: the callers who may ask for them. */
type SplitAudience = Extract<Audience, 'operator' | 'owner'>;

const everyAudience = { operator: true, owner: true } as const;

/** The view of a split. */
const splitFields: View<Split, SplitAudience> = {
  splitId: everyAudience,
  amount: everyAudience,
  currency: everyAudience,
  legs: { operator: legsFor('operator'), owner: legsFor('owner') },
  createdAt: everyAudience,
};

type SplitView = z.output<(typeof namedSchemas)['Split']>;

/** Returns a split as an audience sees it. An owner sees the legs as the payer does. */
export function splitView(split: Split, audience: SplitAudience): SplitView {
  return shown(splitFields, split, audience) as SplitView;
}

function legsFor(audience: SplitAudience) {
  return (legs: Split['legs']) => legs.map((leg) => transactionView(leg, audience));
}
