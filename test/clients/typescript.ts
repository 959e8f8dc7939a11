/** The story with the TypeScript client. */
import { createWalletClient, WalletServiceError } from '../../client/src/index.ts';
import { castOf } from './story.ts';
import type { Facts, Stage } from './story.ts';

export async function tellInTypeScript(stage: Stage): Promise<Facts> {
  const cast = await castOf(stage);
  const as = (token: string) => createWalletClient({ url: stage.url, token });
  const [ada, ben, operator] = [as(cast.ada), as(cast.ben), as(cast.operator)];
  const { walletId } = await ada.openWallet({ currency: 'USD' });
  const { walletId: walletOfBen } = await ben.openWallet({ currency: 'USD' });

  const key = crypto.randomUUID();
  const charged = await operator.wallet(walletId).charge({ amount: 10_000 }, { key });
  const repeated = await operator.wallet(walletId).charge({ amount: 10_000 }, { key });
  const paid = await ada.wallet(walletId).transfer({ amount: 3_000, toWalletId: walletOfBen });
  const account = 'SIM-FLAKY';
  const withdrawn = await ada.wallet(walletId).withdraw({ amount: 2_000, destination: { account } }, { wait: 5 });
  const { status } = await ada.transaction(withdrawn.transactionId).waitFor();
  await ben.transaction(paid.transactionId).refund({ amount: 1_000, reason: 'a part was missing' });

  const refusal = await ben
    .wallet(walletOfBen)
    .withdraw({ amount: 1_000_000, destination: { account } })
    .catch((error: unknown) => error);
  const history: string[] = [];
  for await (const { type } of ada.wallet(walletId).transactions({ limit: 2 })) history.push(type);
  const left = await Promise.all([
    ada.wallet(walletId).balance({ consistent: true }),
    ben.wallet(walletOfBen).balance({ consistent: true }),
  ]);
  return {
    ...{ ada: left[0].available, ben: left[1].available },
    sameCharge: charged.transactionId === repeated.transactionId,
    withdrawal: status,
    code: refusal instanceof WalletServiceError ? refusal.code : String(refusal),
    history,
  };
}
