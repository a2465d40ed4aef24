import type { Environment } from '#libs/config/environment.js';
import { passwordsIn as redisPasswordsIn } from '#libs/redis/redis-address.js';
import type { Patient } from './check.js';

const SECRETS: Array<keyof Environment> = [
  'JWT_SECRET', 'PLATEN_MASTER_KEY', 'PLATEN_OLD_MASTER_KEYS', 'VAULT_TOKEN', 'AWS_SECRET_ACCESS_KEY', 'AWS_SESSION_TOKEN',
  'AZURE_STORAGE_CONNECTION_STRING', 'AZURE_STORAGE_KEY', 'OPENAI_API_KEY', 'REPLICATE_API_TOKEN', 'REPLICATE_WEBHOOK_SECRET',
  'METRICS_TOKEN',
];
/** Shorter ones would be found in any word. */
const SHORTEST = 4;

/** Takes secrets out of a text: what libraries say of a failure may hold the address, and with it the password. */
export function withoutSecrets({ environment, databaseUrl, redisUrl }: Patient): (text: string) => string {
  const configured = SECRETS.flatMap((name) => environment[name] as string | string[] | undefined ?? []);
  const inAddresses = [databaseUrl, ...environment.COMFYUI_URLS].flatMap(passwordsIn);
  if (redisUrl) inAddresses.push(...redisPasswordsIn(redisUrl));
  const secrets = [...configured, ...inAddresses]
    .filter((secret) => secret.length >= SHORTEST)
    // One that is part of another would leave the rest of it.
    .sort((one, other) => other.length - one.length);
  return (text) => secrets.reduce((told, secret) => told.replaceAll(secret, '…'), text);
}

function passwordsIn(address: string | undefined): string[] {
  if (!address || !URL.canParse(address)) return [];
  const { password } = new URL(address);
  return [password, decodeURIComponent(password)];
}
