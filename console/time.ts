/** Returns an ISO 8601 time as `2026-03-01 09:30:12 UTC`. */
export function timeText(iso: string): string {
  return `${iso.slice(0, 10)} ${iso.slice(11, 19)} UTC`;
}

/** Returns a span as its two largest units: `1 d 3 h`, `2 min 5 s`, `0.8 s`. */
export function spanText(ms: number): string {
  if (ms < 10_000) return `${Math.floor(Math.max(0, ms) / 1000)}.${Math.floor((Math.max(0, ms) % 1000) / 100)} s`;
  const seconds = Math.floor(ms / 1000);
  const parts = [
    [Math.floor(seconds / 86_400), 'd'],
    [Math.floor(seconds / 3600) % 24, 'h'],
    [Math.floor(seconds / 60) % 60, 'min'],
    [seconds % 60, 's'],
  ] as const;
  const first = parts.findIndex(([count]) => count > 0);
  return parts
    .slice(first, first + 2)
    .filter(([count], index) => index === 0 || count > 0)
    .map(([count, unit]) => `${count} ${unit}`)
    .join(' ');
}
