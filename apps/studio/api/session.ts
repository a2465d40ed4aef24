import { signal } from '@preact/signals';

const KEY = 'platen.token';

/** The access token, or null. It lives as long as the tab does: other tabs and later visits know nothing of it. */
export const token = signal<string | null>(null);

/** Takes the token of `#token=…`, and out of the address bar; else the one that this tab had before. */
export function restoreSession(): void {
  const [, given] = /^#token=(.+)$/.exec(location.hash) ?? [];
  if (given) {
    history.replaceState(null, '', location.pathname + location.search);
    signIn(decodeURIComponent(given));
    return;
  }
  token.value = sessionStorage.getItem(KEY);
}

export function signIn(given: string): void {
  sessionStorage.setItem(KEY, given);
  token.value = given;
}

export function signOut(): void {
  sessionStorage.removeItem(KEY);
  token.value = null;
}
