/** Ways to break the service, each of which the simulation must notice: `npm run mutants`. */
import type { Mutation } from './mutation.ts';
import { approvalMutations } from './mutations/approvals.ts';
import { batchMutations } from './mutations/batches.ts';
import { bankMutations } from './mutations/bank.ts';
import { bookMutations } from './mutations/books.ts';
import { commandMutations } from './mutations/commands.ts';
import { eventMutations } from './mutations/events.ts';
import { feeMutations } from './mutations/fees.ts';
import { holdMutations } from './mutations/holds.ts';
import { limitMutations } from './mutations/limits.ts';
import { orderMutations } from './mutations/orders.ts';
import { queueMutations } from './mutations/queues.ts';
import { aliasMutations } from './mutations/aliases.ts';
import { referenceMutations } from './mutations/references.ts';
import { refundMutations } from './mutations/refunds.ts';
import { recoveryMutations } from './mutations/recovery.ts';
import { splitMutations } from './mutations/splits.ts';
import { scheduleMutations } from './mutations/schedules.ts';
import { transferMutations } from './mutations/transfers.ts';
import { upgradeMutations } from './mutations/upgrades.ts';
import { webhookMutations } from './mutations/webhooks.ts';
import { withdrawalMutations } from './mutations/withdrawals.ts';

export const mutations: readonly Mutation[] = [
  ...commandMutations,
  ...withdrawalMutations,
  ...bankMutations,
  ...transferMutations,
  ...holdMutations,
  ...refundMutations,
  ...splitMutations,
  ...limitMutations,
  ...feeMutations,
  ...approvalMutations,
  ...batchMutations,
  ...scheduleMutations,
  ...orderMutations,
  ...referenceMutations,
  ...aliasMutations,
  ...queueMutations,
  ...bookMutations,
  ...eventMutations,
  ...webhookMutations,
  ...upgradeMutations,
  ...recoveryMutations,
];
