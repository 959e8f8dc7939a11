/** What tests of payouts do over HTTP. */
import type { Answer, Deployed } from './service.ts';

type User = Awaited<ReturnType<Deployed['newUser']>>;

/** Withdraws 4.00 to an account of the simulated bank. */
export function withdraw(
  { ask, walletId }: User,
  account: string,
  headers: Record<string, string> = {},
): Promise<Answer> {
  return ask(`/wallets/${walletId}/withdraw`, { body: { amount: 400, destination: { account } }, headers });
}

export async function balanceOf({ ask, walletId }: User): Promise<[available: unknown, held: unknown]> {
  const { body } = await ask(`/wallets/${walletId}/balance?consistent=true`);
  return [body['available'], body['held']];
}
