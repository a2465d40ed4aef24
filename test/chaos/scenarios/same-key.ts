import { setTimeout as delay } from 'node:timers/promises';
import { v7 as uuid } from 'uuid';
import type { Client, Receipt } from '../../e2e/client.js';
import { quickStep } from '../../e2e/pipelines.js';
import type { Api } from '../../e2e/processes.js';
import { untilCalm } from '../harness/calm.js';
import type { Scenario } from '../harness/scenario.js';
import type { Storm } from '../harness/storm.js';
import { storeWork } from '../harness/works.js';

const PATH = '/api/collections/generate';
const AT_ONCE = 100;
/** Of one generation of the stored work. */
const PRICE = 0.75;
/** Share of the clients that hang up, and the time in which they do. */
const ABORTS = 0.1;
const ABORT_WITHIN_MS = 100;
const DRAIN_MS = 60_000;

export const sameKey: Scenario = {
  name: 'same-key',
  promise: 'A hundred submissions at once under one key, over two APIs, are one job and one answer.',

  async run(storm) {
    const { town } = storm;
    const apis = await town.startApis(2);
    await town.startWorkers(1);
    const receipts = new Set<string>();
    storm.receipts = receipts;
    for (let round = 0; round < storm.sized(50, 5); round++) {
      const headers = { 'idempotency-key': uuid() };
      // With credit for one: who comes second must not be told that it is spent.
      const artist = await town.richClient(apis[0]!, PRICE);
      const body = { title: 'Same key', workflow_id: await storeWork(artist, [quickStep('only')]) };
      const answers = await askAtOnce(storm, artist, apis, { body, headers });
      const texts = new Set(answers.map(({ status, text }) => `${status} ${text}`));
      if (texts.size !== 1) storm.fault(`Round ${round}: several answers: ${[...texts].join('\n')}`);
      const first = answers.filter((answer) => answer.headers.get('idempotency-replayed') === null);
      if (first.length > 1) storm.fault(`Round ${round}: ${first.length} answers are no replays`);
      receipts.add(answers[0]!.body.data.job_id);
      await askOtherwise(storm, artist, apis[0]!, { body: { ...body, title: 'Other' }, headers });
      // The key of one user means nothing to another.
      const other = await town.richClient(apis[1]!, PRICE);
      const theirs = { ...body, workflow_id: await storeWork(other, [quickStep('only')]) };
      const { job_id: jobId } = await other.create<Receipt>(PATH, theirs, headers);
      receipts.add(jobId);
    }
    await untilCalm(storm, DRAIN_MS);
    storm.mustReach('clients that hung up', storm.sized(200, 10));
    storm.mustReach('generations completed', storm.sized(100, 10));
  },
};

interface Request {
  body: Record<string, unknown>;
  headers: Record<string, string>;
}

/** What those were answered that did not hang up. */
async function askAtOnce(storm: Storm, artist: Client, apis: Api[], request: Request) {
  const random = storm.random('aborts');
  const answers = await Promise.all(
    Array.from({ length: AT_ONCE }, async (_, index) => {
      // One stays for certain: all that comes before the first commit could hang up.
      const isLost = index > 0 && random.number() < ABORTS;
      const hangUp = new AbortController();
      if (isLost) void delay(random.integer(0, ABORT_WITHIN_MS)).then(() => hangUp.abort());
      const options = { ...request, signal: hangUp.signal };
      return artist.at(apis[index % 2]!).request<Receipt>('POST', PATH, options).catch((error: unknown) => {
        if (!hangUp.signal.aborted) throw error;
        storm.did('clients that hung up');
        return null;
      });
    }),
  );
  return answers.filter((answer) => answer !== null);
}

async function askOtherwise(storm: Storm, artist: Client, api: Api, request: Request): Promise<void> {
  const { status } = await artist.at(api).request('POST', PATH, request);
  if (status !== 422) storm.fault(`Another body under the same key was answered ${status}`);
  storm.did('other bodies under the same key refused');
}
