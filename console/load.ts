/** What the parts of the page do with the API: load, follow, and send commands that may be repeated. */
import { useCallback, useEffect, useRef, useState } from 'preact/hooks';
import { ApprovalPendingError, NoAnswerError, WalletServiceError } from '../client/src/index.ts';
import type { CommandOptions } from '../client/src/index.ts';
import { useDesk } from './context.ts';
import { forgetKey, keyOf } from './sent.ts';

/** An answer, or the wait for one. Data of an earlier answer stays, so that nothing jumps while it is asked again. */
export interface Loaded<T> {
  readonly data: T | undefined;
  readonly error: unknown;
  readonly reload: () => void;
}

/**
 * Loads when `key` changes, and again `everyMs` after each answer while the page is visible.
 *
 * @param everyMs a function decides by the last answer; undefined: not again
 */
export function useLoad<T>(
  key: string,
  load: (signal: AbortSignal) => Promise<T>,
  everyMs?: (data: T | undefined) => number | undefined,
): Loaded<T> {
  const [state, setState] = useState<{ key: string; data: T | undefined; error: unknown }>();
  const [round, setRound] = useState(0);
  const latest = useRef({ load, everyMs });
  latest.current = { load, everyMs };
  useEffect(() => {
    const ended = new AbortController();
    let timer: ReturnType<typeof setTimeout> | undefined;
    const again = (data: T | undefined): void => {
      const pause = latest.current.everyMs?.(data);
      if (pause !== undefined && !ended.signal.aborted) timer = setTimeout(ask, pause, data);
    };
    const ask = (before: T | undefined): void => {
      if (document.visibilityState === 'hidden') {
        again(before);
        return;
      }
      latest.current.load(ended.signal).then(
        (data) => {
          if (ended.signal.aborted) return;
          setState({ key, data, error: data === undefined ? new Error('The service answered nothing') : undefined });
          again(data);
        },
        (error: unknown) => {
          if (ended.signal.aborted) return;
          setState((last) => ({ key, data: last?.key === key ? last.data : undefined, error }));
          again(before);
        },
      );
    };
    ask(undefined);
    return () => {
      ended.abort();
      clearTimeout(timer);
    };
  }, [key, round]);
  const reload = useCallback(() => {
    setRound((count) => count + 1);
  }, []);
  const current = state?.key === key ? state : undefined;
  return { data: current?.data, error: current?.error, reload };
}

/** A command and its outcome. */
export interface Command<Body, T> {
  readonly send: (body: Body) => Promise<T | undefined>;
  readonly isBusy: boolean;
  readonly error: unknown;
  /** The words for the operator after a success, or when a second operator must approve. */
  readonly done: string | undefined;
}

/**
 * Returns a command with a key of its own. The key stays while the body is the same and no answer was a success. So a
 * second click after a lost answer moves no money twice.
 *
 * @param name the command and the id of its object: two commands with the same name and body are one. For what can be set
 *   again after a change to something else, it names the state before, too
 */
export function useCommand<Body, T>(
  name: string,
  run: (body: Body, options: Pick<CommandOptions, 'key' | 'onAnswer'>) => Promise<T>,
  doneText: (answer: T) => string,
): Command<Body, T> {
  const { session } = useDesk();
  const [state, setState] = useState<{ isBusy: boolean; error?: unknown; done?: string }>({ isBusy: false });
  const isUnderWay = useRef(false);
  const send = async (body: Body): Promise<T | undefined> => {
    if (isUnderWay.current) return undefined;
    isUnderWay.current = true;
    // The service knows a key by its caller.
    const command = JSON.stringify([session.principal, name, body]);
    const answered = { replayed: false };
    const onAnswer = ({ replayed }: { readonly replayed: boolean }): void => {
      answered.replayed = replayed;
    };
    setState({ isBusy: true });
    try {
      const answer = await run(body, { key: keyOf(command), onAnswer });
      forgetKey(command);
      const repeated = answered.replayed ? ' An earlier request had done it: nothing was done twice.' : '';
      setState({ isBusy: false, done: doneText(answer) + repeated });
      return answer;
    } catch (error) {
      if (error instanceof ApprovalPendingError) {
        forgetKey(command);
        setState({ isBusy: false, done: 'Asked for: nothing has moved. Another operator must approve it.' });
      } else {
        setState({ isBusy: false, error });
      }
      return undefined;
    } finally {
      isUnderWay.current = false;
    }
  };
  return { send, isBusy: state.isBusy, error: state.error, done: state.done };
}

/** Returns whether the token is missing, wrong or expired. */
export function isSignedOut(error: unknown): boolean {
  return error instanceof WalletServiceError && error.code === 'unauthorized';
}

/** Returns what went wrong, and what the operator can do now. */
export function adviceOf(error: unknown): { readonly title: string; readonly next: string } {
  if (error instanceof WalletServiceError) {
    const fields = error.errors?.map(({ path, message }) => `${path} ${message}`).join('; ');
    const title = [error.title, error.detail, fields].filter((text) => text !== undefined && text !== '').join(': ');
    return { title, next: nextAfter(error) };
  }
  if (error instanceof NoAnswerError) {
    return {
      title: 'No answer came',
      next: 'Press the same button again: the request keeps its key and is carried out once.',
    };
  }
  return { title: error instanceof Error ? error.message : String(error), next: 'Check the connection and try again.' };
}

function nextAfter({ code, requestId }: WalletServiceError): string {
  switch (code) {
    case 'unauthorized':
      return 'The token is not valid any more. Sign in again.';
    case 'forbidden':
      return 'The token lacks a scope for this, or it is your own command: another operator can do it.';
    case 'not_found':
      return 'This service does not have this feature switched on.';
    case 'rate_limited':
    case 'busy':
    case 'overloaded':
      return 'Wait some seconds and try again.';
    default:
      return requestId === undefined ? '' : `Request ${requestId} in the logs.`;
  }
}
