import { serverAddress, type ServerAddress } from '#libs/comfyui/server-address.js';
import { fail, ok, type Check, type Finding } from './check.js';

const ANSWER_MS = 5_000;
const MAX_SERVERS = 50;

export const comfyuiCheck: Check = {
  name: 'ComfyUI',
  async examine({ environment }, stop) {
    const servers = environment.COMFYUI_URLS.slice(0, MAX_SERVERS).map(serverAddress);
    if (servers.length === 0) return [ok('none is configured (COMFYUI_URLS): workflows that need one are refused')];
    return Promise.all(servers.map((server) => look(server, stop)));
  },
};

async function look({ host, origin, path, headers }: ServerAddress, stop: AbortSignal): Promise<Finding> {
  const advice = 'Start it, or take it out of COMFYUI_URLS: work goes to the others meanwhile.';
  try {
    const signal = AbortSignal.any([stop, AbortSignal.timeout(ANSWER_MS)]);
    const answer = await fetch(`${origin}${path}/system_stats`, { headers, signal });
    if (answer.status === 401 || answer.status === 403) {
      return fail(`${host} refuses the credentials (${answer.status})`, 'Correct those in COMFYUI_URLS.');
    }
    if (!answer.ok) return fail(`${host} answers ${answer.status}`, advice);
    const { system } = (await answer.json()) as { system?: { comfyui_version?: string } };
    return ok(`${host}: ComfyUI ${system?.comfyui_version ?? 'of a release that does not tell'}`);
  } catch (error) {
    const reason = ((error as Error).cause as Error | undefined)?.message ?? (error as Error).message;
    return fail(`${host} does not answer: ${reason}`, advice);
  }
}
