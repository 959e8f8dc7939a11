import type { Actor } from './actor.ts';

/**
 * What the owner of a wallet, or an operator, calls it. Of its alias this is a copy for its owner: the item of the alias
 * decides who is paid.
 */
export interface WalletDetails {
  readonly name?: string | undefined;
  readonly alias?: string | undefined;
  readonly metadata?: Readonly<Record<string, string>> | undefined;
}

/** The stored details of a wallet. */
export interface StoredDetails extends WalletDetails {
  readonly walletId: string;
  readonly ownerId: string;
  /** Counts their changes: the Nth made version N. */
  readonly version: number;
  readonly updatedAt: string;
  /** The actor of the latest change. */
  readonly changedBy: Actor;
}

/** A change of details, as a JSON Merge Patch (RFC 7396): null removes, and a member that is absent stays. */
export interface DetailsPatch {
  readonly name?: string | null | undefined;
  readonly alias?: string | null | undefined;
  readonly metadata?: Readonly<Record<string, string | null>> | null | undefined;
}

/** Returns the details after a patch. Metadata without a key is none. */
export function patchedDetails(details: WalletDetails, patch: DetailsPatch): WalletDetails {
  const name = patch.name === undefined ? details.name : (patch.name ?? undefined);
  const alias = patch.alias === undefined ? details.alias : (patch.alias ?? undefined);
  const metadata = patch.metadata === undefined ? details.metadata : patchedMetadata(details.metadata, patch.metadata);
  return {
    ...(name !== undefined && { name }),
    ...(alias !== undefined && { alias }),
    ...(metadata && { metadata }),
  };
}

function patchedMetadata(
  metadata: WalletDetails['metadata'],
  patch: NonNullable<DetailsPatch['metadata']> | null,
): WalletDetails['metadata'] {
  const members = Object.entries({ ...(patch && metadata), ...patch });
  const kept = members.filter((member): member is [string, string] => member[1] !== null);
  return kept.length === 0 ? undefined : Object.fromEntries(kept);
}
