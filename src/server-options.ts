import { Platen } from '#libs/client/index.js';
import { CommandFailure } from './command-failure.js';
import { Stopped, stopSignal } from './stop-signal.js';

const DEFAULT_URL = 'http://127.0.0.1:3000';

/** Which Platen a command speaks to, and as whom. */
export interface ServerOptions {
  url?: string;
  token?: string;
}

/**
 * A client of the Platen that is named by options, else by `PLATEN_URL` and `PLATEN_TOKEN`. Ctrl-C breaks it off. Fails
 * at once where no server is; one that goes away later is waited for.
 */
export async function connectTo(options: ServerOptions, variables: NodeJS.ProcessEnv = process.env): Promise<Platen> {
  const url = options.url ?? variables['PLATEN_URL'] ?? DEFAULT_URL;
  const token = options.token ?? variables['PLATEN_TOKEN'];
  if (!token) {
    throw new CommandFailure('Who asks? Give --token, or set PLATEN_TOKEN: `platen token --sub <uuid>` makes one.');
  }
  if (!/^https?:\/\//i.test(url) || !URL.canParse(url)) throw new CommandFailure(`${url} is not an address like ${DEFAULT_URL}.`);
  const stop = new AbortController();
  void stopSignal().then(() => stop.abort(new Stopped()));
  const where = { url, token, signal: stop.signal };
  await new Platen({ ...where, patienceMs: 0 }).get('/health/live');
  return new Platen(where);
}
