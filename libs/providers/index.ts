import type { Environment } from '#libs/config/environment.js';
import { OutboundClient } from '#libs/outbound/outbound-client.js';
import { ChatModel } from './chat-model.js';
import type { Provider } from './provider.js';
import { ReplicateProvider } from './replicate.provider.js';

const OPENAI_URL = 'https://api.openai.com/v1';

/** The services that run models for this installation. */
export interface Providers {
  replicate: Provider;
  chat: ChatModel;
  close(): Promise<void>;
}

type Settings = Pick<
  Environment,
  | 'OPENAI_BASE_URL' | 'OPENAI_API_KEY'
  | 'REPLICATE_API_TOKEN' | 'REPLICATE_BASE_URL' | 'REPLICATE_WEBHOOK_SECRET' | 'ALLOW_UNSIGNED_WEBHOOKS'
  | 'ALLOWED_HOSTS' | 'PUBLIC_URL'
>;

/** Every provider: one line each. They are asked when they are first used. */
export function createProviders(environment: Settings): Providers {
  const { REPLICATE_BASE_URL: baseUrl, ALLOWED_HOSTS } = environment;
  // What outputs name is a model's author's to say: it goes the guarded way. The operator's own choice is exempt.
  const client = new OutboundClient({ allowedHosts: [...ALLOWED_HOSTS, hostOf(baseUrl)] });
  const { OPENAI_BASE_URL, OPENAI_API_KEY } = environment;
  const models = new OutboundClient({ allowedHosts: [hostOf(OPENAI_BASE_URL ?? OPENAI_URL)] });
  return {
    replicate: new ReplicateProvider(client, {
      baseUrl,
      apiToken: environment.REPLICATE_API_TOKEN,
      webhookSecret: environment.REPLICATE_WEBHOOK_SECRET,
      allowsUnsigned: environment.ALLOW_UNSIGNED_WEBHOOKS,
      webhookUrl: reportsOf(environment),
    }),
    chat: new ChatModel(models, {
      baseUrl: OPENAI_BASE_URL ?? OPENAI_URL,
      apiKey: OPENAI_API_KEY,
      isSetUp: OPENAI_BASE_URL !== undefined || OPENAI_API_KEY !== undefined,
    }),
    close: async () => {
      await client.close();
      await models.close();
    },
  };
}

/** Where the ends of predictions are reported, if they could be judged there. */
function reportsOf(environment: Settings): ((token: string) => string) | undefined {
  const { PUBLIC_URL, REPLICATE_BASE_URL, REPLICATE_WEBHOOK_SECRET, ALLOW_UNSIGNED_WEBHOOKS } = environment;
  // Replicate itself takes https addresses alone.
  if (REPLICATE_BASE_URL.includes('//api.replicate.com') && !PUBLIC_URL?.startsWith('https:')) return undefined;
  if (!PUBLIC_URL || !(REPLICATE_WEBHOOK_SECRET || ALLOW_UNSIGNED_WEBHOOKS)) return undefined;
  return (token) => `${PUBLIC_URL.replace(/\/+$/, '')}/api/v1/webhooks/replicate?step=${token}`;
}

/** With its port: other doors of the same machine stay shut. */
function hostOf(url: string): string {
  const { hostname, port, protocol } = new URL(url);
  return `${hostname}:${port || (protocol === 'https:' ? 443 : 80)}`;
}
