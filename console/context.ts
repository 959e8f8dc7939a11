import { createContext } from 'preact';
import { useContext } from 'preact/hooks';
import type { WalletClient } from '../client/src/index.ts';
import type { ConsoleSettings } from '../lambdas/contract.ts';
import type { Session } from './session.ts';

/** What the parts of the page share while an operator is signed in. */
export interface Desk {
  readonly client: WalletClient;
  readonly session: Session;
  readonly settings: ConsoleSettings;
  /** Reads a message to people who do not see the page. */
  readonly announce: (message: string) => void;
  readonly signOut: (reason?: string) => void;
}

export const DeskContext = createContext<Desk | undefined>(undefined);

export function useDesk(): Desk {
  const desk = useContext(DeskContext);
  if (!desk) throw new Error('no operator is signed in');
  return desk;
}

/** Returns whether the token has a scope that includes this one. The API decides; this only hides what it would refuse. */
export function allows({ scopes }: Session, scope: 'charge' | 'support' | 'decide' | 'operate'): boolean {
  return scopes.includes(scope) || scopes.includes('operate');
}
