/** The commands that a second operator must approve. */
import { ApprovalPendingError } from './errors.ts';
import { commandCall, dataOf, signalOf } from './transport.ts';
import type { CallOptions, CommandOptions, Transport } from './transport.ts';
import type { Approval, Schemas } from './types.ts';

/** A command that waits, or waited, for a second operator. */
export interface ApprovalHandle {
  readonly approvalId: string;
  get(options?: CallOptions): Promise<Approval>;
  approve(body?: Schemas['ApproveRequest'], options?: CommandOptions): Promise<Approval>;
  reject(body: Schemas['RejectRequest'], options?: CommandOptions): Promise<Approval>;
}

/** Returns the methods of an approval. */
export function approvalHandle(transport: Transport, approvalId: string): ApprovalHandle {
  const { http } = transport;
  const path = { approvalId };
  return {
    approvalId,
    get: (options = {}) => dataOf(http.GET('/approvals/{approvalId}', { params: { path }, ...signalOf(options) })),
    approve(body = {}, options) {
      const { header, init } = commandCall(transport, options);
      return dataOf(http.POST('/approvals/{approvalId}/approve', { params: { path, header }, body, ...init }));
    },
    reject(body, options) {
      const { header, init } = commandCall(transport, options);
      return dataOf(http.POST('/approvals/{approvalId}/reject', { params: { path, header }, body, ...init }));
    },
  };
}

/**
 * Returns the result of a command that may need an approval.
 *
 * @throws ApprovalPendingError when it does: nothing has moved
 */
export async function doneOf<T>(
  answer: Promise<{ readonly data?: T; readonly response: Response }>,
  key: string,
): Promise<Exclude<T, Approval>> {
  const { data, response } = await answer;
  if (response.status === 202) throw new ApprovalPendingError(data as Approval, key);
  return data as Exclude<T, Approval>;
}
