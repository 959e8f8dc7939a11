/** The answers to commands. */
import type { Answer } from './problem.ts';

/** The header of an answer to a command whose key had been used before. */
export const replayHeader = 'Idempotency-Replayed';

/** The resource that a command made or changed, by its id. A split has no address of its own: its legs have. */
type Committed =
  | { readonly transactionId: string }
  | { readonly walletId: string }
  | { readonly approvalId: string }
  | { readonly batchId: string }
  | { readonly standingOrderId: string }
  | { readonly webhookId: string }
  | { readonly statementId: string }
  | { readonly splitId: string };

/** Returns the answer to a command: the new resource and its location, or on a replay the resource as it is now. */
export function committed(status: number, body: Committed, replayed: boolean): Answer {
  const location = locationOf(body);
  return {
    status,
    body,
    headers: {
      ...((status === 201 || status === 202) && location !== undefined && { Location: location }),
      ...(replayed && { [replayHeader]: 'true' }),
    },
  };
}

function locationOf(body: Committed): string | undefined {
  if ('splitId' in body) return undefined;
  if ('approvalId' in body) return `/approvals/${body.approvalId}`;
  if ('batchId' in body) return `/batches/${body.batchId}`;
  if ('webhookId' in body) return `/webhooks/${body.webhookId}`;
  if ('statementId' in body) return `/statements/${body.statementId}`;
  // A payment that an order made names the order, too.
  if ('transactionId' in body) return `/transactions/${body.transactionId}`;
  return 'standingOrderId' in body ? `/standing-orders/${body.standingOrderId}` : `/wallets/${body.walletId}`;
}
