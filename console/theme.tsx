import { useLayoutEffect, useState } from 'preact/hooks';

const key = 'wallet-console.theme';
const themes = ['system', 'light', 'dark'] as const;
type Theme = (typeof themes)[number];

/** The event that a change of colours sends, for what is drawn by script. */
export const themeChanged = 'console-theme';

/** The switch of the colours: those of the system, or light or dark ones. */
export function ThemeSwitch() {
  const [theme, setTheme] = useState<Theme>(() => themes.find((one) => one === localStorage.getItem(key)) ?? 'system');
  // Before the first paint, so that nothing flashes.
  useLayoutEffect(() => {
    localStorage.setItem(key, theme);
    if (theme === 'system') delete document.documentElement.dataset['theme'];
    else document.documentElement.dataset['theme'] = theme;
    dispatchEvent(new Event(themeChanged));
  }, [theme]);
  return (
    <label class="theme">
      Colours{' '}
      <select value={theme} onChange={({ currentTarget }) => setTheme(currentTarget.value as Theme)}>
        {themes.map((one) => (
          <option key={one} value={one}>
            {one}
          </option>
        ))}
      </select>
    </label>
  );
}
