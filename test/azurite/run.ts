import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { existsSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { freePort } from '../../src/embedded/free-port.js';
import { eventually } from '../setup/eventually.js';

const VERSION = '3.35.0';
const root = join(import.meta.dirname, '../..');
const home = join(root, 'node_modules/.cache', `azurite-${VERSION}`);
const program = join(home, 'node_modules/azurite/dist/src/blob/main.js');

/**
 * `npm run azurite`: the contract of all storages on Microsoft's own emulator. It is no dependency, for it brings
 * 365 MB, which every install and every image would have to carry for one test: the first run fetches it.
 */
function fetchAzurite(): void {
  if (existsSync(program)) return;
  process.stdout.write(`Fetching Azurite ${VERSION} (365 MB) into ${home}\n`);
  mkdirSync(home, { recursive: true });
  const { status } = spawnSync(
    'npm',
    ['install', '--prefix', home, '--no-save', '--no-audit', '--no-fund', '--ignore-scripts', `azurite@${VERSION}`],
    { stdio: ['ignore', 'ignore', 'inherit'] },
  );
  if (status !== 0) throw new Error('Azurite cannot be fetched');
}

async function start(port: number): Promise<ChildProcess> {
  // It knows no service of this year, and says so to clients of this year.
  const flags = ['--inMemoryPersistence', '--skipApiVersionCheck', '--silent', '--disableTelemetry'];
  const azurite = spawn(process.execPath, [program, '--blobPort', String(port), ...flags], {
    cwd: home, stdio: ['ignore', 'ignore', 'inherit'],
  });
  await eventually(async () => void (await fetch(`http://127.0.0.1:${port}/`)), 30_000);
  return azurite;
}

fetchAzurite();
const port = await freePort();
const azurite = await start(port);
try {
  const { status } = spawnSync(
    process.execPath,
    [
      '--experimental-vm-modules', join(root, 'node_modules/jest/bin/jest.js'), '--testRegex', 'azurite\\.trial\\.ts$',
      ...process.argv.slice(2),
    ],
    { cwd: root, stdio: 'inherit', env: { ...process.env, AZURITE_URL: `http://127.0.0.1:${port}` } },
  );
  process.exitCode = status ?? 1;
} finally {
  azurite.kill();
}
