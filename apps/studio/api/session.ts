import { signal } from '@preact/signals';
import { keep, kept } from '../app/kept.js';

const KEY = 'platen.token';

/** The access token, or null. It lives as long as the tab does: other tabs and later visits know nothing of it. */
export const token = signal<string | null>(null);

/** Takes the token of `#token=…`, now and whenever such an address is opened in this tab; else the one it had before. */
export function restoreSession(): void {
  token.value = kept('sessionStorage', KEY);
  takeToken();
  addEventListener('hashchange', takeToken);
}

/** Out of the address bar, too. */
function takeToken(): void {
  const [, given] = /^#token=(.+)$/.exec(location.hash) ?? [];
  if (given === undefined) return;
  history.replaceState(null, '', location.pathname + location.search);
  signIn(given);
}

export function signIn(given: string): void {
  keep('sessionStorage', KEY, given);
  token.value = given;
}

export function signOut(): void {
  keep('sessionStorage', KEY, null);
  token.value = null;
}
