import { createHash } from 'node:crypto';
import PQueue from 'p-queue';
import type { AssetView } from '#libs/assets/asset-view.js';
import type { Client } from '../../e2e/client.js';
import { eventually } from '../../setup/eventually.js';
import { FaultyWay, type Fault } from '../../setup/faulty-way.js';
import { startS3Server, type S3Server } from '../../setup/s3/server.js';
import { keepBusy } from '../harness/busy.js';
import { untilCalm } from '../harness/calm.js';
import { Load } from '../harness/load.js';
import type { Scenario } from '../harness/scenario.js';
import type { Storm } from '../harness/storm.js';

const WORKERS = 3;
const OPEN = 60;
/** A server that is silent is given up after 20 s, five times if need be. */
const DRAIN_MS = 300_000;
const DOWNLOAD_PATIENCE_MS = 120_000;
const READERS = 16;
/** Of all requests, in equal shares. */
const FAULTY = 0.3;
const FAULTS: Fault[] = ['slow_down', 'too_many', 'hang', 'cut', 'done_but_lost'];
/** Of answers that bring bytes, in place of a lost one. */
const CUT_AFTER = 40;
/** Of the generations; the rest is released. */
const MOST_FAILED = 0.5;
const MOST_ORPHANS = 5;

export const storageFaults: Scenario = {
  name: 'storage-faults',
  promise: 'Of all requests to the storage 30 % fail in every way: results are whole, or released, and no row lacks its file.',
  backends: ['postgres'],

  async run(storm) {
    const server = await startS3Server();
    const way = await FaultyWay.to(server.url);
    storm.afterwards(() => way.close().then(() => server.close()));
    storm.files = { pathOf: (key) => server.bucket.objects.get(key)?.path ?? null };
    const variables = { ...server.variables, AWS_ENDPOINT_URL_S3: way.url };
    const apis = await storm.town.startApis(1, variables);
    const load = await Load.of(storm, () => apis);
    await storm.town.startWorkers(WORKERS, variables);
    way.plan = weatherOf(storm);
    const wanted = storm.sized(500, 50);
    await keepBusy(storm, load, { open: OPEN, most: 3, isOver: () => load.generations >= wanted });
    await untilCalm(storm, DRAIN_MS);
    await readAll(storm, apis[0] as (typeof apis)[0]);
    await judge(storm, server);
    storm.mustReach('generations completed', wanted * (1 - MOST_FAILED / 100));
    for (const fault of FAULTS) storm.mustReach(`requests: ${String(fault)}`, 1);
  },
};

function weatherOf(storm: Storm): FaultyWay['plan'] {
  const random = storm.random('storage');
  return ({ method }) => {
    storm.did('requests to the storage');
    if (random.number() >= FAULTY) return null;
    const fault = random.pick(FAULTS);
    storm.did(`requests: ${String(fault)}`);
    return fault === 'done_but_lost' && method === 'GET' ? { cutAfter: CUT_AFTER } : fault;
  };
}

/** Every result, by way of the API and of the same bad way: whole, or not at all. */
async function readAll(storm: Storm, api: { url: string }): Promise<void> {
  const turns = new PQueue({ concurrency: READERS });
  const owners = await storm.town.query<{ user_id: string }>('select distinct user_id from flat_file where shown');
  for (const { user_id } of owners) {
    const client = storm.town.client(api, user_id);
    for (const asset of await client.list<AssetView>('/assets')) turns.add(() => readOne(storm, client, asset));
  }
  await turns.onIdle();
}

async function readOne(storm: Storm, client: Client, { id, url, sha256 }: AssetView): Promise<void> {
  await eventually(async () => {
    const { status, bytes } = await client.download(url);
    if (status !== 200) throw new Error(`File ${id} was answered ${status}`);
    storm.did('files read');
    if (createHash('sha256').update(bytes).digest('hex') !== sha256) storm.fault(`File ${id} came with other bytes`);
  }, DOWNLOAD_PATIENCE_MS).catch((error) => storm.fault(String(error)));
}

async function judge(storm: Storm, { bucket }: S3Server): Promise<void> {
  const [ends] = await storm.town.query<{ all: number; failed: number }>(
    `select count(*)::int as all, (count(*) filter (where status <> 'completed'))::int as failed from generation`,
  );
  const share = (part = 0, whole = 0) => (100 * part) / Math.max(1, whole);
  storm.figure('generations that did not end well', share(ends?.failed, ends?.all), '%', MOST_FAILED);
  const rows = await storm.town.query<{ storage_key: string }>('select storage_key from flat_file');
  const named = new Set(rows.map(({ storage_key }) => storage_key));
  const orphans = [...bucket.objects.keys()].filter((key) => !named.has(key)).length;
  storm.figure('files that no row names', share(orphans, bucket.objects.size), '%', MOST_ORPHANS);
}
