/** The one-time token of the link that led here; empty when there is none. It stays behind #, so no server log holds it. */
export function tokenOfLink(): string {
  return window.location.hash.slice(1);
}
