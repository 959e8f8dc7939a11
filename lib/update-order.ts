import type { CfnResource } from 'aws-cdk-lib';
import type { FunctionName, PerFunction } from '../lambdas/contract.ts';
import type { WalletFunction } from './wallet-function.ts';

/** Readers of what the others store and publish. An update changes them before any function that may write more. */
const followers = [
  'projector',
  'relay',
  'notifier',
  'fraud',
  'webhooks',
  'bank-files',
  'integrity-job',
] as const satisfies readonly FunctionName[];

/** Readers of the queues, and the sweeper, which sends to them. An update changes them before the routes. */
const workers = [
  'withdrawals',
  'transfers',
  'batches',
  'statement-writer',
  'sweeper',
] as const satisfies readonly FunctionName[];

/**
 * Lets an update change consumers before producers. It shortens the time in which old code meets items and messages of a
 * new release; their versions keep it safe. The authorizer is neither.
 *
 * @param routes the functions that serve requests
 */
export function orderUpdates(
  functions: PerFunction<Pick<WalletFunction<FunctionName>, 'invoked'>>,
  routes: readonly FunctionName[],
): void {
  // Callers get the new code of a function when the function is updated, or its alias if there is one.
  const updatedOf = (name: FunctionName) => functions[name]?.invoked.node.defaultChild as CfnResource | undefined;
  for (const [producers, consumers] of [
    [workers, followers],
    [routes, workers],
  ] as const) {
    for (const producer of producers) {
      for (const consumer of consumers) {
        const first = updatedOf(consumer);
        if (first) updatedOf(producer)?.addResourceDependency(first);
      }
    }
  }
}
