import PQueue from 'p-queue';
import { v7 as uuid } from 'uuid';
import type { JsonObject } from '#libs/instruction-set/instruction-set.js';
import { ReplicateServer } from '#libs/providers/stand-in/replicate-server.js';
import type { Client } from '../../e2e/client.js';
import type { Api, Variables } from '../../e2e/processes.js';
import { untilCalm } from '../harness/calm.js';
import { drawFate, drawFault, kindOf, makesImage, type Fate } from '../harness/prediction-fates.js';
import type { Scenario } from '../harness/scenario.js';
import type { Storm } from '../harness/storm.js';

const PATH = '/api/v1/generations';
const WORKERS = 2;
const USERS = 4;
const CREDITS = 1e6;
/** Of one prediction. */
const MICRO_PRICE = 1_000_000;
const SUBMITS_AT_ONCE = 16;
const RUN_MS = 1_500;
const PLANS = JSON.stringify({
  free: { submitsPerMinute: 1e6, readsPerMinute: 1e6, maxInFlight: 1e6, monthlyGenerations: 1e6 },
});
/** What no webhook tells is asked after at growing intervals, and each early or lying one makes the next longer. */
const DRAIN_MS = 400_000;
/** Words of the provider's, or of those who lie about it. */
const UPSTREAM = /secret|CUDA|gpu-17|throttled/i;

export const predictions: Scenario = {
  name: 'predictions',
  promise: 'Whatever is reported of predictions, how often, when and by whom: each ends as it truly did, and is paid once.',

  async run(storm) {
    const replicate = await ReplicateServer.start({ runMs: RUN_MS });
    try {
      await blow(storm, replicate);
    } finally {
      await replicate.close();
    }
  },
};

async function blow(storm: Storm, replicate: ReplicateServer): Promise<void> {
  const { town } = storm;
  const settings: Variables = {
    PLANS, V1_WAIT_SECONDS: '0', REPLICATE_BASE_URL: replicate.apiUrl, REPLICATE_API_TOKEN: replicate.token,
    REPLICATE_WEBHOOK_SECRET: replicate.dials.webhookSecret, ALLOWED_HOSTS: replicate.deliveryHost,
  };
  const apis = await town.startApis(2, settings);
  const [api] = apis as [Api];
  await town.startWorkers(WORKERS, { ...settings, PUBLIC_URL: api.url, WORKER_LANES: 'provider,default' });
  const users = await Promise.all(Array.from({ length: USERS }, () => town.richClient(api, CREDITS)));
  const fates = drawFates(storm, replicate);
  await submitAll(storm, [...fates.keys()], users, apis);
  await untilCalm(storm, DRAIN_MS);
  judgeReports(storm, replicate);
  const made = await judgeEnds(storm, replicate, fates);
  await judgeViews(storm, users, made);
  await judgeBooks(storm, api, made);
  storm.mustReach('generations completed', storm.sized(500, 50));
  storm.mustReach('generations failed', storm.sized(100, 10));
}

/** By its prompt, each generation's; the stand-in's dials are turned accordingly. */
function drawFates(storm: Storm, { dials }: ReplicateServer): Map<string, Fate> {
  const [random, calls] = [storm.random('fates'), storm.random('calls')];
  const fates = new Map<string, Fate>();
  for (let index = 0; index < storm.sized(1_000, 100); index++) fates.set(`storm ${index}`, drawFate(random, RUN_MS));
  const fateOf = (input: JsonObject): Fate => fates.get(String(input['prompt'])) as Fate;
  dials.end = ({ input }) => fateOf(input).end;
  dials.output = ({ input }, { delivered }) => (fateOf(input).isEmpty ? null : [delivered(0)]);
  dials.reports = ({ input }) => fateOf(input).reports;
  dials.onCall = ({ method }) => {
    const fault = method === 'POST' ? drawFault(calls) : null;
    if (fault !== null) storm.did(`creates ${fault.name}`);
    return fault?.fault ?? null;
  };
  return fates;
}

async function submitAll(storm: Storm, prompts: string[], users: Client[], apis: Api[]): Promise<void> {
  const open = new PQueue({ concurrency: SUBMITS_AT_ONCE });
  await open.addAll(prompts.map((prompt, index) => async () => {
    const user = (users[index % USERS] as Client).at(apis[index % apis.length] as Api);
    const headers = { 'idempotency-key': uuid() };
    const { status, text } = await user.request('POST', PATH, { body: { prompt }, headers });
    storm.did(`answers ${status}`);
    if (status !== 202) storm.fault(`A submission was answered ${status}: ${text.slice(0, 300)}`);
  }));
}

/** No forged and no stale one was taken, and each genuine one was. */
function judgeReports(storm: Storm, { webhooks }: ReplicateServer): void {
  for (const report of webhooks.sent) {
    const kind = kindOf(report);
    storm.did(`webhooks ${kind}`);
    const expected = kind === 'forged' || kind === 'stale' ? 401 : 200;
    if (report.status === null) storm.did('webhooks without an answer');
    else if (report.status !== expected) storm.fault(`A webhook that was ${kind} was answered ${report.status}`);
  }
  for (const kind of ['forged', 'stale', 'lying', 'true']) storm.mustReach(`webhooks ${kind}`, storm.sized(100, 10));
}

/** Each ended as its prediction did, of which there is one. Returns how many were made. */
async function judgeEnds(storm: Storm, replicate: ReplicateServer, fates: Map<string, Fate>): Promise<number> {
  const begun = begunBy(replicate);
  const rows = await storm.town.query<{ prompt: string; status: string; prediction: string | null }>(ENDS);
  if (rows.length !== fates.size) storm.fault(`${fates.size} were submitted, ${rows.length} are there`);
  for (const { prompt, status, prediction } of rows) {
    const ids = begun.get(prompt) ?? [];
    const expected = ids.length > 0 && makesImage(fates.get(prompt) as Fate) ? 'completed' : 'failed';
    if (ids.length > 1) storm.fault(`${prompt} has ${ids.length} predictions`);
    if (ids.length === 0) storm.did('generations that were never begun');
    if (ids.length === 1 && prediction !== ids[0]) storm.fault(`${prompt} knows the prediction ${prediction}, not ${ids[0]}`);
    if (status !== expected) storm.fault(`${prompt} is ${status}, its prediction says ${expected}`);
  }
  return rows.filter(({ status }) => status === 'completed').length;
}

/** Ids of predictions by their prompt. */
function begunBy({ predictions: all }: ReplicateServer): Map<string, string[]> {
  const begun = new Map<string, string[]>();
  for (const id of all.ids()) {
    const { input } = all.show(id) as { input: JsonObject };
    const prompt = String(input['prompt']);
    begun.set(prompt, [...(begun.get(prompt) ?? []), id]);
  }
  return begun;
}

/** What clients are shown, and nothing that the provider said. */
async function judgeViews(storm: Storm, users: Client[], made: number): Promise<void> {
  let shown = 0;
  for (const user of users) {
    for (const view of await user.list<{ status: string; variants: unknown[] }>(PATH)) {
      if (UPSTREAM.test(JSON.stringify(view))) storm.fault(`A client is told ${JSON.stringify(view)}`);
      if ((view.status === 'succeeded') !== (view.variants.length === 1)) storm.fault(`Shown: ${JSON.stringify(view)}`);
      if (view.status === 'succeeded') shown += 1;
    }
  }
  if (shown !== made) storm.fault(`${made} were made, ${shown} are shown`);
}

async function judgeBooks(storm: Storm, api: Api, made: number): Promise<void> {
  const drift = await storm.town.drift(api);
  if (drift.length > 0) storm.fault(`The books are wrong: ${JSON.stringify(drift).slice(0, 500)}`);
  const [sums] = await storm.town.query<Record<string, string>>(SUMS);
  const expected = { captured: made * MICRO_PRICE, counted: made, used: made, held: 0, in_flight: 0 };
  for (const [name, value] of Object.entries(expected)) {
    if (Number(sums?.[name]) !== value) storm.fault(`${name} is ${sums?.[name]}, not ${value}`);
  }
}

const ENDS = `
  select i.prompt, j.status,
         (select s.reference ->> 'prediction' from step_run s join generation g on g.id = s.generation_id
           where g.job_id = i.id order by s.attempt desc limit 1) as prediction
    from image_generation i join job j on j.id = i.id`;

const SUMS = `
  select (select coalesce(sum(amount), 0) from credit_entry where type = 'capture') as captured,
         (select coalesce(sum(generations), 0) from usage_entry) as counted,
         sum(usage_generations) as used, sum(held) as held, sum(in_flight) as in_flight
    from account`;
