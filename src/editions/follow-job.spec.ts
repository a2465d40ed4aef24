import { PassThrough } from 'node:stream';
import type { GenerationAnswer, JobAnswer, Platen } from '#libs/client/index.js';
import { followJob } from './follow-job.js';

const generation = (index: number, status: GenerationAnswer['status']) => ({ index, status, hash: `ooAbCdEfGh${index}`, progress: 0 });

describe('following a job', () => {
  it('shows editions that have ended before, those too that the job itself does not carry', async () => {
    const all = [generation(0, 'completed'), generation(1, 'failed')];
    const job = { counts: { total: 2 }, status: 'processing', generations: all.slice(0, 1) } as unknown as JobAnswer;
    const client = {
      get: async () => job,
      list: async function* () {
        yield* all;
      },
      watch: async function* () {
        yield { type: 'snapshot', data: job };
      },
    };
    const output = new PassThrough({ encoding: 'utf8' });
    await followJob(client as unknown as Platen, 'j', output as unknown as NodeJS.WriteStream);
    expect(output.read()).toMatch(/^ {2}1 .* done\n {2}2 .* failed\n$/);
  });
});
