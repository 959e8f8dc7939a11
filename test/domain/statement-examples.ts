/** A statement to write in each format. */
import { statementFormats } from '../../lambdas/views/statement-formats.ts';
import type { FormatName } from '../../lambdas/domain/statement-file.ts';
import type { LineView, StatementView } from '../../lambdas/views/statement-view.ts';

const madeAt = '2026-04-01T00:02:00.000Z';
const hash = 'n4bQgYhMfWWaL-qgxVrQFaO_TxsrC4Is0V1sFbDwCgg';

const exampleLines: LineView[] = [
  {
    ...{ version: 8, at: '2026-03-02T10:00:00.000Z', type: 'transfer', amount: -2_530, fee: 30, balance: 7_470 },
    ...{ transactionId: `tx_${'b'.repeat(26)}`, receiptCode: `RCP-20260302-${'b'.repeat(26)}` },
    ...{ counterparty: { walletId: `w_eur_${'c'.repeat(26)}` }, externalReference: 'rent-3' },
    description: 'Rent of March <"flat" & garage>',
  },
  {
    ...{ version: 9, at: '2026-03-03T10:00:00.000Z', type: 'charge', amount: 500, balance: 7_970 },
    ...{ transactionId: `tx_${'d'.repeat(26)}`, receiptCode: `RCP-20260303-${'d'.repeat(26)}` },
  },
];

/** Returns a statement with these lines, by default a payment and a charge. */
export function exampleStatement(lines: readonly LineView[] = exampleLines): StatementView {
  const sumOf = (amounts: readonly number[]) => amounts.reduce((sum, amount) => sum + amount, 0);
  const amounts = lines.map(({ amount }) => amount);
  const total = 10_000 + sumOf(amounts);
  return {
    ...{ walletId: `w_eur_${'a'.repeat(26)}`, currency: 'EUR', decimals: 2 },
    ...{ from: '2026-03-01T00:00:00.000Z', to: '2026-04-01T00:00:00.000Z', final: true },
    opening: { available: 9_000, held: 1_000, total: 10_000, version: 7, hash },
    lines: [...lines],
    closing: { available: total - 1_000, held: 1_000, total, version: 9, hash },
    sums: {
      lines: lines.length,
      in: sumOf(amounts.filter((amount) => amount > 0)),
      out: -sumOf(amounts.filter((amount) => amount < 0)) || 0,
      fees: sumOf(lines.map(({ fee = 0 }) => fee)),
    },
  };
}

/** Returns a statement as a format writes it. */
export function written(name: FormatName, { lines, closing, sums, ...head }: StatementView): string {
  const { before, line, after } = statementFormats[name];
  const end = { closing, sums };
  const texts = lines.map((one, index) => line(one, head, index));
  return before(head, end, madeAt) + texts.join('') + after(head, end);
}
