import { randomUUID } from 'node:crypto';
import { Command } from 'commander';
import type { Role } from '#libs/identity/caller.js';
import { call } from '../../test/api/calls.js';
import { submitJob } from '../../test/factories/job.js';
import { startTestApi, type TestApi } from '../../test/setup/api.js';
import { addQueue } from '../queue-program.js';

const STEPS = [{ id: 'a', nodeName: 'javascript', nodePayload: { code: 'return 1' } }];
const operator = randomUUID();

let api: TestApi;

beforeAll(async () => {
  api = await startTestApi();
});
afterAll(() => api.close());

/** What `platen queue …` prints, typed by somebody of this role. */
async function queueAs(role: Role, ...args: string[]): Promise<string> {
  const program = new Command();
  addQueue(program, {
    on: (command) => command.option('--json'),
    connect: async () => ({
      request: async <Data>(method: string, path: string, { body }: { body?: object } = {}) => {
        const { json } = await call(`${api.url}${path}`, { method: method.toUpperCase(), headers: api.as(operator, role), body });
        if (!json?.success) throw new Error(json?.code);
        return json.data as Data;
      },
    }),
  });
  const written = jest.spyOn(process.stdout, 'write').mockReturnValue(true);
  try {
    await program.parseAsync(['queue', ...args], { from: 'user' });
    return written.mock.calls.map(([text]) => String(text)).join('');
  } finally {
    written.mockRestore();
  }
}
const queue = (...args: string[]) => queueAs('admin', ...args);

describe('platen queue', () => {
  it('pauses a lane, says so, and lets it go on', async () => {
    await submitJob(api.database, { steps: STEPS, generations: 2 });
    expect(await queue('status')).toMatch(/default +2 +\d+ s[^]*Nothing is paused/);
    expect(await queue('pause', 'lane', 'default', '--reason', 'the renderer is broken', '--wait')).toBe('lane default stands still.\n');
    expect(await queue('status')).toMatch(new RegExp(`lane default +pause +2 +0 +\\S+Z +${operator} +the renderer is broken`));
    expect(JSON.parse(await queue('waiting', '--by', 'lane', '--json'))).toMatchObject([{ subject: 'default', paused: 2 }]);
    await expect(queue('drain', 'lane', 'default', '--reason', 'again')).rejects.toThrow('ALREADY_PAUSED');
    expect(await queue('resume', 'lane', 'default')).toBe('lane default goes on.\n');
    await expect(queue('resume', 'lane', 'default')).rejects.toThrow('lane default is not paused.');
  });

  it('cancels, retries and moves a job, and keeps who did it', async () => {
    const { jobId } = await submitJob(api.database, { steps: STEPS, generations: 2 });
    expect(await queue('move', jobId, '--priority', '90')).toContain('priority 90');
    expect(await queue('cancel', jobId, '--reason', 'it fails')).toContain('The job is cancelled');
    expect(await queue('retry', jobId, '1')).toContain('The job is pending');
    const log = await queue('log');
    for (const verb of ['prioritise', 'cancel', 'retry']) expect(log).toMatch(new RegExp(`${operator} +${verb} +.*${jobId}`));
    expect(await queue('running')).toMatch(/^job +index +lane/);
  });

  it('is for admins', async () => {
    await expect(queueAs('user')).rejects.toThrow('FORBIDDEN');
  });
});
