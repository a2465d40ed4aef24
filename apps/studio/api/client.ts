import { computed } from '@preact/signals';
import { Platen, PlatenError } from '#libs/client/index.js';
import { signOut, token } from './session.js';

/** Long enough for an API that is started anew; then the page says that it is away. */
const PATIENCE_MS = 10_000;

/** Platen as the user of this tab sees it; without a token, as everyone does. */
export const client = computed(() => new Platen({
  url: location.origin,
  patienceMs: PATIENCE_MS,
  fetch: endingRefusedSessions,
  ...(token.value !== null && { token: token.value }),
}));

const endingRefusedSessions: typeof fetch = async (address, request) => {
  const response = await fetch(address, request);
  if (response.status === 401) signOut();
  return response;
};

/** A sentence for whatever was thrown. */
export function sentenceOf(error: unknown): string {
  if (!(error instanceof PlatenError)) return 'Something went wrong in this page.';
  if (['UNREACHABLE', 'TIMEOUT'].includes(error.code)) return 'Platen cannot be reached.';
  return [error.message, ...error.faults.map(({ field, message }) => `${field} ${message}`)].join('; ');
}
