import { useState } from 'react';

export type Theme = 'system' | 'light' | 'dark';
const THEME_KEY = 'touchstone.theme';

/** The chosen theme. `system` follows the machine. */
export function useTheme(): [Theme, (theme: Theme) => void] {
  const [theme, setTheme] = useState(storedTheme);
  const choose = (next: Theme) => {
    setTheme(next);
    const root = document.documentElement;
    if (next === 'system') delete root.dataset.theme;
    else root.dataset.theme = next;
    try {
      localStorage.setItem(THEME_KEY, next);
    } catch {
      // The choice then lasts until the page is left.
    }
    window.dispatchEvent(new Event('touchstone:theme'));
  };
  return [theme, choose];
}

function storedTheme(): Theme {
  const chosen = document.documentElement.dataset.theme;
  return chosen === 'light' || chosen === 'dark' ? chosen : 'system';
}
