import { useEffect, useRef } from 'preact/hooks';
import uPlot from 'uplot';
import { amountText, decimalsOf } from './money.ts';
import { themeChanged } from './theme.tsx';
import { timeText } from './time.ts';

/** The balance of a wallet after one change. */
export interface Balanced {
  /** ISO 8601 UTC. */
  readonly at: string;
  readonly available: number;
  readonly held: number;
}

const height = 220;

/** Draws the balance over time. The ledger below it has the same figures as text. */
export function BalanceChart({
  points,
  currency,
}: {
  readonly points: readonly Balanced[];
  readonly currency: string;
}) {
  const place = useRef<HTMLDivElement>(null);
  useEffect(() => {
    const element = place.current;
    if (!element) return undefined;
    let plot: uPlot | undefined;
    const draw = (): void => {
      plot?.destroy();
      plot = new uPlot(optionsOf(element, currency), dataOf(points), element);
    };
    draw();
    const resized = new ResizeObserver(() => {
      plot?.setSize({ width: element.clientWidth, height });
    });
    resized.observe(element);
    const dark = matchMedia('(prefers-color-scheme: dark)');
    dark.addEventListener('change', draw);
    addEventListener(themeChanged, draw);
    return () => {
      resized.disconnect();
      dark.removeEventListener('change', draw);
      removeEventListener(themeChanged, draw);
      plot?.destroy();
    };
  }, [points, currency]);
  const [first, last] = [points[0], points.at(-1)];
  const label =
    first && last
      ? `Balance from ${amountText(first.available + first.held, currency)} to ${amountText(last.available + last.held, currency)} in ${points.length} changes`
      : 'Balance over time';
  return <div class="chart" role="img" aria-label={label} ref={place} />;
}

function dataOf(points: readonly Balanced[]): uPlot.AlignedData {
  return [
    points.map(({ at }) => Date.parse(at) / 1000),
    points.map(({ available, held }) => available + held),
    points.map(({ available }) => available),
  ];
}

const isoOf = (seconds: number): string => new Date(seconds * 1000).toISOString();

/** Returns the mark of a moment (UTC), as short as the distance between two marks allows. */
function timeTick(seconds: number, step: number): string {
  const iso = isoOf(seconds);
  return step >= 86_400 ? iso.slice(0, 10) : step >= 60 ? iso.slice(11, 16) : iso.slice(11, 19);
}

function optionsOf(element: HTMLElement, currency: string): uPlot.Options {
  const style = getComputedStyle(element);
  const color = (name: string): string => style.getPropertyValue(name).trim();
  const stepped = uPlot.paths.stepped?.({ align: 1 });
  const axis = {
    stroke: color('--soft'),
    grid: { stroke: color('--line'), width: 1 },
    ticks: { stroke: color('--line') },
  };
  const value = (_plot: uPlot, amount: number | null): string => (amount === null ? '–' : amountText(amount, currency));
  // Whole units of the currency only, so that ticks are short.
  const unit = 10 ** decimalsOf(currency);
  const tick = (amount: number): string => amountText(amount, currency).replace(/(\.0+)? [A-Z]+$/, '');
  return {
    width: element.clientWidth,
    height,
    tzDate: (seconds) => uPlot.tzDate(new Date(seconds * 1000), 'Etc/UTC'),
    series: [
      { label: 'Time', value: (_plot, seconds: number | null) => (seconds === null ? '–' : timeText(isoOf(seconds))) },
      { label: 'Total', stroke: color('--soft'), width: 1, dash: [4, 3], value, ...(stepped && { paths: stepped }) },
      { label: 'Available', stroke: color('--accent'), width: 2, value, ...(stepped && { paths: stepped }) },
    ],
    scales: { y: { range: (_plot, min, max) => [Math.min(0, min), Math.max(unit, max)] } },
    axes: [
      { ...axis, values: (_plot, splits, _axis, _space, step) => splits.map((seconds) => timeTick(seconds, step)) },
      { ...axis, size: 90, values: (_plot: uPlot, splits: number[]) => splits.map(tick) },
    ],
  };
}
