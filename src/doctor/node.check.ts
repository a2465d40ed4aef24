import { fail, ok, type Check } from './check.js';

const OLDEST = [20, 19] as const;

export const nodeCheck: Check = {
  name: 'Node',
  examine: async () => [judgeNode(process.version)],
};

export function judgeNode(version: string) {
  const [major = 0, minor = 0] = version.slice(1).split('.').map(Number);
  const isRecent = major > OLDEST[0] || (major === OLDEST[0] && minor >= OLDEST[1]);
  return isRecent ? ok(version) : fail(version, `Install Node ${OLDEST.join('.')} or newer.`);
}
