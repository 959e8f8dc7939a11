/**
 * The kinds of actors: the owner of the wallet, an operator of the service, the bank by its word, the screening for
 * fraud, and the service's own workers.
 */
export const actorKinds = ['owner', 'operator', 'bank', 'screening', 'service'] as const;

/** The party that made a change. The audit names it for every event. */
export interface Actor {
  readonly kind: (typeof actorKinds)[number];
  /** Of an owner or operator, the token's `sub`. Of the others, a fixed name with a space, which no `sub` can have. */
  readonly principal: string;
  /**
   * Of an owner or operator, the issuer of the token. Records have only its mark (`issuerMarkOf`), to stay within a
   * kilobyte. Events have the issuer itself.
   */
  readonly issuer?: string | undefined;
}

/** The bank, which acts by its answers and notifications. */
export const bank: Actor = { kind: 'bank', principal: 'the bank' };

/** The screening for fraud, which freezes wallets that look suspicious. */
export const screening: Actor = { kind: 'screening', principal: 'the screening' };

/** The workers of the service, where neither a caller nor the bank has decided. */
export const service: Actor = { kind: 'service', principal: 'the service' };

/** Returns only the members of an actor, from a value that has more. */
export function actorOf({ kind, principal, issuer }: Actor): Actor {
  return { kind, principal, ...(issuer !== undefined && { issuer }) };
}
