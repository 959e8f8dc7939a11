/**
 * Compares the calls of each function to the tables with the grants of its role. Every function runs here against a
 * real engine. The calls are recorded from the wire, and the grants come from the template.
 */
import assert from 'node:assert/strict';
import { describe, it } from '@jest/globals';
import { walletIdOf } from '../../lambdas/domain/ids.ts';
import { environments } from '../../lambdas/contract.ts';
import type { FunctionName } from '../../lambdas/contract.ts';
import { afterTest, useEngine } from '../fixture.ts';
import { synthesize } from '../stack/synthesized.ts';
import { accessOf } from '../stack/table-access.ts';
import { fourEyes as guarded } from './every-route.ts';
import { useTheService } from './access-commands.ts';
import { compareBankFile, useStatementFiles, useWebhooks } from './access-files.ts';
import { followTheStream, readTheBooks } from './access-reads.ts';
import { recordService } from './access-recorder.ts';

const engine = useEngine();

describe('each function', () => {
  it('reads and writes the types of item that its role grants, and no other', async () => {
    const service = await recordService(engine);
    afterTest(service.books.close);
    await useTheService(service);
    await followTheStream(service);
    await readTheBooks(service);
    await useWebhooks(service);
    await useStatementFiles(service);
    await compareBankFile(service);
    const { expiresAfterMs, ...fourEyes } = guarded;
    const fees = { revenueWallets: { EUR: walletIdOf('us', 'revenue', 'EUR') } };
    const granted = accessOf(
      synthesize({ fourEyes, fees, batches: true, console: {}, bankFiles: {}, webhooks: true, statementFiles: true }),
    );
    const names = Object.keys(environments) as FunctionName[];
    assert.deepEqual(
      Object.fromEntries(names.map((name) => [name, [...(service.seen.get(name) ?? [])].sort()])),
      Object.fromEntries(names.map((name) => [name, granted(name)])),
    );
  });
});
