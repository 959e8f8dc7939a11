/** Makes the records of taken references agree with the transactions that have them. */
import { DeleteCommand } from '@aws-sdk/lib-dynamodb';
import { withRetries } from '../../lambdas/store/table.ts';
import type { Recovery } from './recovery.ts';

/**
 * Puts back the record of each reference that a transaction has for itself alone, and removes each whose transaction was
 * forgotten: a lost command may be repeated. Of several transactions with one reference, which a restore may leave, the first
 * one has it, and the others are named.
 */
export async function mendReferences(recovery: Recovery): Promise<void> {
  const { copy, report, table } = recovery;
  const forgotten = copy.query(
    { pk: 'text', id: 'text' },
    `SELECT pk, id FROM taken WHERE NOT EXISTS (SELECT 1 FROM referring WHERE referring.id = taken.id AND referring.pk = taken.pk)
      AND id NOT IN (SELECT id FROM unreadable)`,
  );
  for (const { pk, id } of forgotten.all()) {
    report.repairs('reference', id, 'given back, as its transaction is forgotten');
    const command = new DeleteCommand({
      ...{ TableName: table.name, Key: { pk, sk: 'REFERENCE' } },
      ConditionExpression: 'attribute_not_exists(pk) OR transactionId = :id',
      ExpressionAttributeValues: { ':id': id },
    });
    await recovery.write(() => withRetries(table, () => table.client.send(command)));
    copy.run('DELETE FROM taken WHERE pk = ?', pk);
  }
  const lacking = copy.query(
    { pk: 'text', id: 'text', item: 'text' },
    'SELECT pk, id, item FROM referring WHERE NOT EXISTS (SELECT 1 FROM taken WHERE taken.pk = referring.pk) ORDER BY created_at, id',
  );
  const pending = lacking.all();
  for (const { pk, id, item } of pending) {
    if (copy.has('SELECT 1 FROM taken WHERE pk = ?', pk)) continue;
    report.repairs('reference', id, 'is its own again');
    await recovery.put(table, JSON.parse(item) as Record<string, unknown>, undefined);
    copy.run('INSERT INTO taken VALUES (?, ?)', pk, id);
  }
  const others = copy.query(
    { id: 'text', first: 'text' },
    'SELECT referring.id AS id, taken.id AS first FROM referring JOIN taken ON taken.pk = referring.pk WHERE taken.id <> referring.id',
  );
  for (const { id, first } of others.all()) {
    const detail = `it has the same reference as ${first}, and both should have it alone`;
    report.differs({ kind: 'reference_twice', subject: id, detail, remedy: 'refund the one that is wrong' });
  }
}
