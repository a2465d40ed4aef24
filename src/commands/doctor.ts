import { loadEnvironment } from '#libs/config/environment.js';
import { CommandFailure } from '../command-failure.js';
import { CHECKS } from '../doctor/index.js';
import type { Finding, Patient } from '../doctor/check.js';
import { examine, isSound, type Diagnosis } from '../doctor/examination.js';
import { PlatenHome } from '../platen-home.js';
import { printLines } from '../table.js';

export interface DoctorOptions {
  json?: true;
}

const SIGNS = { ok: '✓', warn: '!', fail: '✗' } as const;
const NAME_WIDTH = Math.max(...CHECKS.map(({ name }) => name.length));

/** `platen doctor`: what works, what does not, and what to do. Fails when something does not work. */
export async function doctor({ json }: DoctorOptions, variables: NodeJS.ProcessEnv = process.env): Promise<void> {
  const patient = patientOf(variables);
  const examinations = CHECKS.map((check) => examine(check, patient));
  const diagnoses: Diagnosis[] = [];
  for (const examination of examinations) {
    diagnoses.push(await examination);
    if (!json) printLines(linesOf(diagnoses.at(-1) as Diagnosis));
  }
  if (json) printLines([JSON.stringify({ sound: isSound(diagnoses), checks: diagnoses })]);
  if (!isSound(diagnoses)) throw new CommandFailure(`${json ? '' : '\n'}Something does not work: see what stands by ✗.`);
}

/** Makes nothing, unlike a start: secrets that are missing stay so. */
function patientOf(variables: NodeJS.ProcessEnv): Patient {
  const environment = loadEnvironment(variables);
  const home = new PlatenHome(environment.PLATEN_HOME);
  const running = home.running();
  environment.PLATEN_HOME = home.folder;
  return {
    environment,
    home: home.folder,
    databaseUrl: environment.DATABASE_URL ?? running?.databaseUrl,
    redisUrl: environment.REDIS_URL ?? running?.redisUrl,
  };
}

function linesOf({ check, findings }: Diagnosis): string[] {
  const margin = ' '.repeat(NAME_WIDTH + 4);
  return findings.flatMap(({ verdict, text, advice }: Finding, index) => [
    `${SIGNS[verdict]} ${(index === 0 ? check : '').padEnd(NAME_WIDTH)}  ${text}`,
    ...(advice ? [`${margin}→ ${advice}`] : []),
  ]);
}
