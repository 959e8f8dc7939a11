import { withoutFee } from './fee.ts';
import { accounts, feePosting } from './postings.ts';
import type { Posting } from './postings.ts';
import { recordOfCommand } from './transaction-record.ts';
import type { CommandFacts } from './transaction-record.ts';
import type { Charge } from './transaction.ts';

/** Returns a charge: money in from outside, completed at once. The wallet gets what its fee leaves. */
export function charge(facts: CommandFacts & Pick<Charge, 'approvedBy'>): Charge {
  return {
    ...recordOfCommand(facts),
    ...(facts.approvedBy && { approvedBy: facts.approvedBy }),
    type: 'charge',
    status: 'completed',
    postings: chargePostings(facts),
    completedAt: facts.at,
  };
}

/** Returns the postings of a charge. An opening balance comes from an account of its own. */
export function chargePostings(
  facts: Pick<CommandFacts, 'amount' | 'currency' | 'walletId' | 'fee'> & Pick<Charge, 'opening'>,
): Posting[] {
  const from = facts.opening ? accounts.opening : accounts.external;
  return [
    { account: from(facts.currency), amount: -facts.amount },
    { account: accounts.available(facts.walletId), amount: withoutFee(facts) },
    ...feePosting(facts),
  ];
}
