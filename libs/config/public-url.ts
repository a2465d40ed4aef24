import type { Environment } from './environment.js';

/** Where clients reach the API; without `PUBLIC_URL` only those on this machine do. */
export const publicUrlOf = ({ PUBLIC_URL, HOST, PORT }: Pick<Environment, 'PUBLIC_URL' | 'HOST' | 'PORT'>): string =>
  PUBLIC_URL ?? `http://${HOST}:${PORT}`;
