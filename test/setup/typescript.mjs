// `node --import ./test/setup/typescript.mjs x.ts` runs TypeScript as it stands in the sources, without
// a build: what serves the tests never serves an old schema.
import { register } from 'node:module';

register('./typescript-hooks.mjs', import.meta.url);
