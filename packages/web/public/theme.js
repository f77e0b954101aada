// Runs before the first paint, so that a page chosen dark never flashes light.
try {
  const theme = localStorage.getItem('touchstone.theme');
  if (theme === 'light' || theme === 'dark') document.documentElement.dataset.theme = theme;
} catch {
  // Storage may be switched off; the system's preference then decides.
}
