import { ReplicateServer } from '#libs/providers/stand-in/replicate-server.js';
import { freePort } from '../embedded/free-port.js';

/** A server that takes Replicate's place. */
export interface StandIn {
  /** Variables of a Platen that uses it, and is told by its webhooks. */
  variables: Record<string, string>;
  close(): Promise<void>;
}

/** Its pictures show the hour that the prompt names. */
const HOURS = { dawn: 6.6, sunset: 17.4, night: 23 };
const ANY_HOUR = 12;
const START_MS = 400;
const RUN_MS = 1_200;
const PICTURE = 640;

export async function startStandIn(): Promise<StandIn> {
  const replicate = await ReplicateServer.start({
    startMs: START_MS,
    runMs: RUN_MS,
    pictureSize: PICTURE,
    output: ({ input }, { delivered }) => [`${delivered(0)}?hour=${hourIn(String(input['prompt']))}`],
  });
  // Webhooks need an address that is known before there is a server.
  const port = String(await freePort());
  const variables = {
    REPLICATE_BASE_URL: replicate.apiUrl,
    REPLICATE_API_TOKEN: replicate.token,
    REPLICATE_WEBHOOK_SECRET: replicate.dials.webhookSecret,
    ALLOWED_HOSTS: replicate.deliveryHost,
    PORT: port,
    PUBLIC_URL: `http://127.0.0.1:${port}`,
  };
  return { variables, close: () => replicate.close() };
}

const hourIn = (prompt: string): number =>
  Object.entries(HOURS).find(([name]) => prompt.includes(name))?.[1] ?? ANY_HOUR;
