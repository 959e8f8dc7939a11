/** Scenes: steps that need each other so much that random ones hardly ever meet. Faults strike them as all others. */
import { between, chance, choose } from './chance.ts';
import type { Action, CommandName, History, Step, WalletName } from './history.ts';

interface Owned extends WalletName {
  readonly owner: string;
}

/** A step of a scene: its ms after the beginning, its caller, and its key where that is repeated or named. */
type Turn = readonly [afterMs: number, principal: string, action: Action, key?: string];

const operator = 'operator';
const crowdSize = 18;

/** Returns some histories with a scene, and the others as they are. */
export function withScenes(history: History): History {
  const { seed, steps } = history;
  const wallets = steps.flatMap(({ principal, key, action, ...step }): Owned[] =>
    action.do === 'create-wallet' && (!step.operator || action.owner !== undefined)
      ? [{ principal, key, currency: action.currency, owner: action.owner ?? principal }]
      : [],
  );
  const payer = choose(wallets, seed, 'scene payer');
  const others = wallets.filter(({ key, currency }) => key !== payer.key && currency === payer.currency);
  const scene = sceneOf(chance(seed, 'scene'), history.service.queueDepthLimit);
  if (others.length === 0 || scene === undefined) return history;
  const begin = between(4_000, Math.max(...steps.map(({ at }) => at)), seed, 'scene at');
  const turns = scene(payer, choose(others, seed, 'scene receiver'), begin);
  const played = turns.map(([afterMs, principal, action, key], n): Step => {
    return {
      ...{ id: `z${n}`, at: begin + afterMs, principal, operator: principal === operator },
      ...{ key: key ?? `scene-${n}`, retries: 4, action },
    };
  });
  return { ...history, steps: [...steps, ...played] };
}

function sceneOf(draw: number, queueDepthLimit: number) {
  if (draw < 0.05) return refundToFrozen;
  if (draw < 0.1) return captureOfFrozen;
  return draw < 0.2 && queueDepthLimit < crowdSize ? crowd : undefined;
}

/** A refund is refused while its payer is frozen, and is made in parts afterwards. */
function refundToFrozen(payer: Owned, receiver: Owned): Turn[] {
  const target: CommandName = { principal: payer.owner, key: 'scene-pay' };
  const [wallet, to] = [nameOf(payer), nameOf(receiver)];
  const refund: Action = { do: 'refund', target, amount: 30 };
  return [
    [0, payer.owner, { do: 'transfer', wallet, to, amount: 90, queued: false }, target.key],
    [3_000, operator, { do: 'freeze', wallet }],
    [4_000, receiver.owner, refund],
    [6_000, operator, { do: 'unfreeze', wallet }],
    [8_000, receiver.owner, refund],
    [9_000, receiver.owner, refund],
  ];
}

/** Captures are refused while one side is frozen. Others are repeated and refunded, and the rest is released. */
function captureOfFrozen(payer: Owned, receiver: Owned, begin: number): Turn[] {
  const target: CommandName = { principal: payer.owner, key: 'scene-hold' };
  const [wallet, to] = [nameOf(payer), nameOf(receiver)];
  const hold = { do: 'open-hold', wallet, to, amount: 300 } as const;
  const capture: Action = { do: 'capture', target, amount: 40, isFinal: false };
  const captured: CommandName = { principal: receiver.owner, key: 'scene-capture' };
  return [
    [0, payer.owner, { ...hold, expiresAt: begin + 600_000 }, target.key],
    [2_000, receiver.owner, capture, captured.key],
    [3_000, receiver.owner, capture, captured.key],
    [4_000, operator, { do: 'freeze', wallet }],
    [5_000, receiver.owner, capture],
    [7_000, operator, { do: 'unfreeze', wallet }],
    [9_000, operator, { do: 'freeze', wallet: to }],
    [10_000, operator, capture],
    [12_000, operator, { do: 'unfreeze', wallet: to }],
    [14_000, receiver.owner, { do: 'refund', target: captured, amount: 10 }],
    [16_000, receiver.owner, { do: 'release', target }],
  ];
}

/** So many transfers are queued at about one time that a process knows of too many. */
function crowd(payer: Owned, receiver: Owned): Turn[] {
  const action: Action = { do: 'transfer', wallet: nameOf(payer), to: nameOf(receiver), amount: 1, queued: true };
  return Array.from({ length: crowdSize }, (_, n) => [Math.floor(n / 3) * 150, operator, action]);
}

function nameOf({ principal, key, currency }: Owned): WalletName {
  return { principal, key, currency };
}
