import { createRequire } from 'node:module';

const require = createRequire(import.meta.url);

/** Platen's own release. The built files lie one folder deeper than the sources. */
export const RELEASE = releaseIn(['../../package.json', '../../../package.json']);

function releaseIn(places: string[]): string {
  for (const place of places) {
    try {
      return (require(place) as { version: string }).version;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'MODULE_NOT_FOUND') throw error;
    }
  }
  return 'unknown';
}
