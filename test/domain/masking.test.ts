import fc from 'fast-check';
import assert from 'node:assert/strict';
import { describe, it } from '@jest/globals';
import { maskAccount } from '../../lambdas/domain/transaction.ts';
import { withoutAccounts } from '../../lambdas/bank/words.ts';

/** Characters that the mask itself never shows, so that every such character in the result comes from the account. */
const account = fc.string({ unit: fc.constantFrom('A', 'Z', 'é', '0', '9', ' ', '-'), minLength: 1, maxLength: 64 });

describe('a masked account', () => {
  it('shows at most the last four characters, and never half of the account', () => {
    fc.assert(
      fc.property(account, (account) => {
        const shown = maskAccount(account).replaceAll('*', '');
        assert.ok(shown.length <= 4);
        assert.ok(shown.length * 2 < account.length);
        assert.ok(account.endsWith(shown));
      }),
    );
  });

  it('does not reveal the length', () => {
    assert.equal(maskAccount('DE02120300000000202051'), '****2051');
    assert.equal(maskAccount('SIM-REJECT'), '****JECT');
    assert.equal(maskAccount('SIM-DOWN'), '****');
    assert.equal(maskAccount('123'), '****');
  });
});

describe('a text of the bank', () => {
  it('loses control characters, which would steer the terminal of an operator', () => {
    const text = 'x\u001b[2K\r\u009b31m\u001b]0;owned\u0007';
    assert.equal(withoutAccounts(text), 'x [2K 31m ]0;owned ');
    for (const separator of ['\r\n', '\u00a0', '\u200b', '.', '-', ' ']) {
      const account = ['DE89', '3704', '0044', '0532', '0130'].join(separator);
      assert.equal(withoutAccounts(`to ${account}`).replaceAll('*', ''), 'to ', JSON.stringify(separator));
    }
  });
});
