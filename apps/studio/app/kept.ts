/** What the browser keeps for this page: for its tab, or for good. Without a place for it, switched off or full, it forgets. */
type Place = 'sessionStorage' | 'localStorage';

export function kept(place: Place, key: string): string | null {
  try {
    return window[place].getItem(key);
  } catch {
    return null;
  }
}

/** Null: forgets it. */
export function keep(place: Place, key: string, value: string | null): void {
  try {
    if (value === null) window[place].removeItem(key);
    else window[place].setItem(key, value);
  } catch {
    // The page goes on with what it has in hand.
  }
}
