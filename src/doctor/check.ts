import type { Environment } from '#libs/config/environment.js';

/** `warn`: it works, but not as it should in production. `fail`: what depends on it does not work. */
export type Verdict = 'ok' | 'warn' | 'fail';

/** What one look found. Never holds a secret: addresses are shown without credentials. */
export interface Finding {
  verdict: Verdict;
  /** What is so. */
  text: string;
  /** What to do about it; absent when all is well. */
  advice?: string;
}

/** What is examined. */
export interface Patient {
  environment: Environment;
  /** Folder of the installation. */
  home: string;
  /** Those configured, else those of the Platen that runs from `home`. */
  databaseUrl?: string;
  redisUrl?: string;
}

/** One part of an installation. A new one is a file, its spec and a line in `index.ts`. */
export interface Check {
  name: string;
  /** After that it has failed. Default 10 s. */
  timeoutMs?: number;
  /** A rejection is a failure by its message. `stop` ends what still runs when the time is over. */
  examine(patient: Patient, stop: AbortSignal): Promise<Finding[]>;
}

export const ok = (text: string): Finding => ({ verdict: 'ok', text });
export const warn = (text: string, advice: string): Finding => ({ verdict: 'warn', text, advice });
export const fail = (text: string, advice: string): Finding => ({ verdict: 'fail', text, advice });

/** Host, port and path of an address: what may be shown of it. */
export function shownAddress(address: string): string {
  if (!URL.canParse(address)) return 'the address';
  const { host, pathname } = new URL(address);
  return `${host}${pathname === '/' ? '' : pathname}`;
}
