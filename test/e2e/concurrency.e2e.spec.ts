import type { LedgerEntryView } from '#libs/credits/account-view.js';
import type { JobSummary } from '#libs/generations/job-view.js';
import type { Answer, Client, Receipt } from './client.js';
import { formWorkflow, quickStep } from './pipelines.js';
import { describeWithEachBackend, PlatenProcesses, type Api } from './platen-processes.js';

const PRICE = { base: 0.5, per_generation: 0.5 };

describeWithEachBackend('many submits at once, over two API processes', (variables) => {
  let platen: PlatenProcesses;
  let apis: Api[];
  let workflowId: string;

  beforeAll(async () => {
    platen = await PlatenProcesses.prepare(variables);
    apis = await Promise.all([platen.api(), platen.api()]);
    const workflow = { ...formWorkflow('quick', PRICE, [quickStep('only')]), visibility: 'public' };
    workflowId = (await platen.client(apis[0]!).create<{ id: string }>('/workflows', workflow)).id;
  });
  afterAll(() => platen.close());

  /** The `index`th of many requests: they take turns between the processes. */
  function submit(client: Client, index: number, key?: string, title = 'One'): Promise<Answer<Receipt>> {
    const body = { title, workflow_id: workflowId };
    const headers: Record<string, string> = key === undefined ? {} : { 'idempotency-key': key };
    return client.at(apis[index % 2]!).request('POST', '/api/collections/generate', { body, headers });
  }

  const submitMany = (client: Client, count: number, key?: string) =>
    Promise.all(Array.from({ length: count }, (_, index) => submit(client, index, key)));

  const holdsOf = async (client: Client) =>
    (await client.list<LedgerEntryView>('/credits/ledger')).filter(({ type }) => type === 'hold');

  it('with credit for one: one is taken, 49 are told what is missing', async () => {
    const client = await platen.richClient(apis[0]!, 1.75);
    const answers = await submitMany(client, 50);
    const refused = answers.filter(({ status }) => status === 402);
    expect(answers.filter(({ status }) => status === 201)).toHaveLength(1);
    expect(refused).toHaveLength(49);
    for (const { body } of refused) {
      expect(body).toEqual({
        success: false, data: null, error: 'Insufficient credits', code: 'INSUFFICIENT_CREDITS',
        details: {
          required: 1,
          available: 0.75,
          cost_breakdown: { total_credits: 1, per_generation: 0.5, workflow_base_cost: 0.5 },
        },
      });
    }
    expect(await client.read('/credits')).toMatchObject({ balance: 1.75, held: 1, available: 0.75 });
    expect(await client.list<JobSummary>('/jobs')).toHaveLength(1);
    expect(await platen.drift(apis[0]!)).toEqual([]);
  });

  it('with one key: one collection, one hold, and 100 equal answers', async () => {
    const client = await platen.richClient(apis[0]!, 500);
    const answers = await submitMany(client, 100, 'the-same-for-all');
    expect(answers.map(({ status }) => status)).toEqual(Array(100).fill(201));
    expect(new Set(answers.map(({ text }) => text)).size).toBe(1);
    expect(answers.filter(({ headers }) => headers.get('idempotency-replayed') === 'true')).toHaveLength(99);
    const { job_id: id, collection_id } = answers[0]!.body.data;
    expect(await client.list<JobSummary>('/jobs')).toMatchObject([{ id, collection_id }]);
    expect((await holdsOf(client)).map(({ amount }) => amount)).toEqual([0.5, 0.5]);
    expect(await platen.drift(apis[0]!)).toEqual([]);
  });

  it('with one key and other bodies: those are refused, whoever was first', async () => {
    const client = await platen.richClient(apis[0]!, 500);
    const titles = Array.from({ length: 20 }, (_, index) => (index % 4 < 2 ? 'This' : 'That'));
    const answers = await Promise.all(titles.map((title, index) => submit(client, index, 'a-key', title)));
    const taken = titles[answers.findIndex(({ status }) => status === 201)];
    expect(answers.map(({ status }) => status)).toEqual(titles.map((title) => (title === taken ? 201 : 422)));
    const refused = answers.filter(({ status }) => status === 422);
    expect(new Set(refused.map(({ body }) => body.code))).toEqual(new Set(['IDEMPOTENCY_KEY_REUSED']));
    expect(await client.list<JobSummary>('/jobs')).toHaveLength(1);
  });

  it("with another user's key: each has a collection of their own", async () => {
    const clients = await Promise.all([1, 2].map(() => platen.richClient(apis[0]!, 5)));
    const answers = await Promise.all(clients.map((client, index) => submit(client, index, 'a-common-key')));
    expect(answers.map(({ status }) => status)).toEqual([201, 201]);
    expect(answers.map(({ headers }) => headers.get('idempotency-replayed'))).toEqual([null, null]);
    expect(answers[0]!.body.data.collection_id).not.toBe(answers[1]!.body.data.collection_id);
  });

  it('a refusal does not stick to its key: after a top-up the same request is taken', async () => {
    const client = await platen.richClient(apis[0]!, 0.75);
    expect((await submit(client, 0, 'try-again')).status).toBe(402);
    await platen.grant(apis[0]!, client.userId, 0.25);
    const [first, second] = [await submit(client, 1, 'try-again'), await submit(client, 0, 'try-again')];
    expect([first.status, first.headers.get('idempotency-replayed')]).toEqual([201, null]);
    expect([second.status, second.headers.get('idempotency-replayed')]).toEqual([201, 'true']);
    expect(second.text).toBe(first.text);
    expect(await client.read('/credits')).toMatchObject({ balance: 1, held: 1, available: 0 });
  });
});
