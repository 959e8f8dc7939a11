/**
 * The kinds of actors: the owner of the wallet, an operator of the service, the bank by its word, the screening for
 * fraud, and the service's own workers.
 */
export const actorKinds = ['owner', 'operator', 'bank', 'screening', 'service'] as const;

/** The party that made a change. The audit names it for every event. */
export interface Actor {
  readonly kind: (typeof actorKinds)[number];
  /** The token's `sub` of an owner or operator; a fixed name with a space, which no token can have, of the others. */
  readonly principal: string;
  /**
   * The issuer of the token, of an owner or operator: on records by its mark (`issuerMarkOf`), which keeps them within a
   * kilobyte; events spell it out.
   */
  readonly issuer?: string | undefined;
}

/** The bank, by an answer or a notification of its own. */
export const bank: Actor = { kind: 'bank', principal: 'the bank' };

/** The screening for fraud, which freezes wallets that look suspicious. */
export const screening: Actor = { kind: 'screening', principal: 'the screening' };

/** The workers of the service: what they do by their own clock, without the bank's word. */
export const service: Actor = { kind: 'service', principal: 'the service' };

/** The members of an actor alone, of a value that has more. */
export function actorOf({ kind, principal, issuer }: Actor): Actor {
  return { kind, principal, ...(issuer !== undefined && { issuer }) };
}
