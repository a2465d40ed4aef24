import { loadEnvironment } from '#libs/config/environment.js';

/** `platen openapi`: the document of `/openapi.json`, on stdout; nothing is started for it. */
export async function openapi(): Promise<void> {
  const { describeApi } = await import('#apps/api/main.js');
  process.stdout.write(`${JSON.stringify(await describeApi(loadEnvironment({})))}\n`);
}
