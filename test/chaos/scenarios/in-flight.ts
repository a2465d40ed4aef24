import { setTimeout as delay } from 'node:timers/promises';
import type { Receipt } from '../../e2e/client.js';
import { busyStep } from '../../e2e/pipelines.js';
import { untilCalm } from '../harness/calm.js';
import type { Scenario } from '../harness/scenario.js';
import { percentile } from '../harness/storm.js';
import { storeWork } from '../harness/works.js';

const AT_ONCE = 50;
/** Generations that a user of this plan may have open. */
const MAX_OPEN = 3;
const PLANS = JSON.stringify({
  free: { submitsPerMinute: 1e6, readsPerMinute: 1e6, maxOpenGenerations: MAX_OPEN },
});
const FREED_MS = 1_000;
const DRAIN_MS = 60_000;

export const inFlight: Scenario = {
  name: 'in-flight',
  promise: 'Of fifty submissions at once, over two APIs, as many are accepted as the plan has room for.',

  async run(storm) {
    const { town } = storm;
    const apis = await town.startApis(2, { PLANS });
    const artist = await town.richClient(apis[0]!, 1e6);
    const body = { title: 'In flight', workflow_id: await storeWork(artist, [busyStep('only', 1)]) };
    const submit = (index: number) =>
      artist.at(apis[index % 2]!).request<Receipt>('POST', '/api/collections/generate', { body });
    const receipts = new Set<string>();
    storm.receipts = receipts;
    const worker = await town.worker({ PLANS });
    const freed: number[] = [];
    const rounds = storm.sized(50, 5);
    for (let round = 0; round < rounds; round++) {
      // Nothing ends in the meantime.
      worker.signal('SIGSTOP');
      const answers = await Promise.all(Array.from({ length: AT_ONCE }, (_, index) => submit(index)));
      worker.signal('SIGCONT');
      const open = answers.filter(({ status }) => status === 201).map(({ body: { data } }) => data.job_id);
      const refused = answers.filter(({ body: { code } }) => code === 'TOO_MANY_INFLIGHT');
      for (const jobId of open) receipts.add(jobId);
      storm.did('submissions accepted', open.length);
      storm.did('submissions over the limit', refused.length);
      if (open.length !== MAX_OPEN || refused.length !== AT_ONCE - MAX_OPEN) {
        storm.fault(`Round ${round}: ${answers.map(({ status }) => status).join()}`);
      }
      for (const jobId of open) await artist.ended(jobId);
      const endedAt = performance.now();
      for (;;) {
        const again = await submit(round);
        if (again.status === 201) {
          receipts.add(again.body.data.job_id);
          freed.push(performance.now() - endedAt);
          await artist.ended(again.body.data.job_id);
          break;
        }
        await delay(20);
      }
    }
    await untilCalm(storm, DRAIN_MS);
    storm.mustReach('submissions over the limit', rounds * (AT_ONCE - MAX_OPEN));
    const limit = storm.sized(FREED_MS, 5 * FREED_MS);
    storm.figure('end to a free slot p95', percentile(freed, 0.95), 'ms', limit);
  },
};
