import { signal } from '@preact/signals';
import { readCredits } from '../api/platen.js';
import type { Credits } from '../api/shapes.js';

/** What the user owns, as last read. */
export const balance = signal<Credits | null>(null);

/** Reads the balance again: after whatever has changed it. What fails is tried again the next time. */
export async function refreshBalance(): Promise<void> {
  balance.value = await readCredits().catch(() => balance.value);
}
