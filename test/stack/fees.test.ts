/** Fees in the template: the variables of the functions that take and collect them, and the grants of the collection. */
import assert from 'node:assert/strict';
import { describe, it } from '@jest/globals';
import { environments } from '../../lambdas/contract.ts';
import type { FunctionName } from '../../lambdas/contract.ts';
import { resourcesOf, synthesize } from './synthesized.ts';
import { accessOf } from './table-access.ts';

const walletId = 'w_usd_4zqmn7c2xk5vtj3hd6wpyafr2e';
const schedule = { transfer: { flat: 25 }, charge: { basisPoints: 290, byCurrency: { JPY: { flat: 30 } } } } as const;
const plain = synthesize({ fourEyes: {} });
const withFees = synthesize({ fourEyes: {}, fees: { ...schedule, revenueWallets: { USD: walletId } } });

const taking: FunctionName[] = ['transfer', 'split', 'withdraw', 'charge', 'capture', 'approve', 'standing-orders'];

/** Returns the values of a variable by the function that has it. */
function variablesOf({ template }: ReturnType<typeof synthesize>, variable: string): Record<string, unknown> {
  const found = [...resourcesOf(template, 'AWS::Lambda::Function').values()].flatMap(({ Properties }) => {
    const { Variables } = (Properties['Environment'] ?? { Variables: {} }) as { Variables: Record<string, unknown> };
    const name = String(Properties['Description']).replace('Wallet service: ', '');
    return variable in Variables ? [[name, Variables[variable]] as const] : [];
  });
  return Object.fromEntries(found);
}

describe('fees', () => {
  it('are absent by default, and come from the prop for each function that takes them', () => {
    const each = (text: string) => Object.fromEntries(taking.map((name) => [name, text]));
    assert.deepEqual(variablesOf(plain, 'FEES'), each('{}'));
    assert.deepEqual(variablesOf(withFees, 'FEES'), each(JSON.stringify(schedule)));
    const named = Object.entries(environments).filter(([, variables]) => variables.some((one) => one === 'FEES'));
    // The route of batches is off by default.
    assert.deepEqual(named.map(([name]) => name).sort(), [...taking, 'create-batch'].sort());
  });

  it('are collected by the sweeper, which may write a collection only where a revenue wallet is named', () => {
    assert.deepEqual(variablesOf(plain, 'REVENUE_WALLETS'), { sweeper: '{}' });
    assert.deepEqual(variablesOf(withFees, 'REVENUE_WALLETS'), { sweeper: JSON.stringify({ USD: walletId }) });
    const before = accessOf(plain)('sweeper');
    const further = accessOf(withFees)('sweeper').filter((access) => !before.includes(access));
    assert.deepEqual(further, ['GetItem fees', 'PutItem fees', 'Query total']);
  });
});
