/** The kinds of actors: an owner, an operator, the bank, the screening for fraud, and the service's own workers. */
export const actorKinds = ['owner', 'operator', 'bank', 'screening', 'service'] as const;

/** The party that made a change. The audit names it for every event. */
export interface Actor {
  readonly kind: (typeof actorKinds)[number];
  /**
   * For an owner or operator, the token's `sub`. For the others, a fixed name with a space, which no `sub` can have.
   */
  readonly principal: string;
  /**
   * For an owner or operator, the issuer of the token. Records store only its mark (`issuerMarkOf`), to stay within a
   * kilobyte. Events carry the issuer itself.
   */
  readonly issuer?: string | undefined;
}

/** The bank, when its answers or notifications make the change. */
export const bank: Actor = { kind: 'bank', principal: 'the bank' };

/** The screening for fraud, which freezes wallets that look suspicious. */
export const screening: Actor = { kind: 'screening', principal: 'the screening' };

/** The service's own workers, when neither a caller nor the bank made the decision. */
export const service: Actor = { kind: 'service', principal: 'the service' };

/** The import of wallets and past transactions from another system. */
export const importer: Actor = { kind: 'service', principal: 'the import' };

/** Returns only the actor's members of a value that may have more. */
export function actorOf({ kind, principal, issuer }: Actor): Actor {
  return { kind, principal, ...(issuer !== undefined && { issuer }) };
}
