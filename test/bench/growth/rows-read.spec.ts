import { Client } from 'pg';
import { v7 as uuid } from 'uuid';
import { listAssets } from '#libs/assets/asset-queries.js';
import { FileUrls } from '#libs/assets/file-urls.js';
import { readHistory } from '#libs/collections/collection-history.js';
import { Collections } from '#libs/collections/collections.js';
import { CollectionLists, type PublicFilter } from '#libs/collections/collection-lists.js';
import { readLedger } from '#libs/credits/account-view.js';
import { readMonthlyUsage } from '#libs/credits/usage.js';
import type { Database, Queryable } from '#libs/database/database.js';
import type { Prepared } from '#libs/database/prepared.js';
import { EventLog } from '#libs/events/event-log.js';
import { aloneWaits, claim } from '#libs/generations/claims.js';
import { JobQueries, type JobFilters } from '#libs/generations/job-queries.js';
import { BOOKS, QUEUE } from '#libs/metrics/row-queries.js';
import { findMadeAsset } from '#libs/provenance/made-asset.js';
import { editionIds } from '#libs/token-metadata/ranked-editions.js';
import { createTestDatabase, type TestDatabase } from '../../setup/database.js';
import { testKeys } from '../../factories/keys.js';
import { fill } from './fill.js';

interface PlanNode {
  'Node Type': string;
  'Parent Relationship'?: string;
  'Actual Rows'?: number;
  'Relation Name'?: string;
  'Actual Loops'?: number;
  'Rows Removed by Filter'?: number;
  Plans?: PlanNode[];
}

/** The owner of a tenth of them has 400. */
const JOBS = 4_000;
/** Read whole by design: what is counted over all users, and what is never many. */
const SMALL_TABLES = ['account', 'pause'];
/** Rows looked at in vain: a page of 20 may pass over nine others' for each of its own. */
const IN_VAIN = 220;
const NO_FILTERS: JobFilters = {};
const owner = uuid();

describe('whatever there is of old jobs', () => {
  let test: TestDatabase;
  let client: Client;
  let collectionId: string;
  let jobId: string;
  let assetId: string;

  beforeAll(async () => {
    test = await createTestDatabase();
    client = new Client({ connectionString: test.url });
    await client.connect();
    await test.database.query('insert into account (user_id, balance) values ($1, 1000000000000)', [owner]);
    await fill(client, JOBS, owner, uuid());
    await queueUp(client);
    [{ collectionId, jobId, assetId }] = await test.database.query(
      `select collection_id as "collectionId", job_id as "jobId", id as "assetId" from flat_file where user_id = $1 limit 1`,
      [owner],
    ) as [{ collectionId: string; jobId: string; assetId: string }];
    await test.database.query(`update collection set title = 'Zone' where id in (
      select id from collection where status = 'published' order by created_at limit 3)`);
    // So small a table may as well be read whole; here only what has no index is.
    await client.query('set enable_seqscan = off');
  });
  afterAll(async () => {
    await client.end();
    await test.close();
  });

  /** Runs `read` on a database that notes the plans of what it is asked, and sums up what they found in vain. */
  async function judge(read: (db: Queryable) => Promise<unknown>): Promise<{ whole: string[]; inVain: number }> {
    const nodes: PlanNode[] = [];
    await read({
      query: async <Row>(sql: string | Prepared, parameters: unknown[] = []) => {
        const text = typeof sql === 'string' ? sql : sql.text;
        const { rows } = await client.query(`explain (analyze, format json) ${text}`, parameters);
        nodes.push(...nodesOf(rows[0]['QUERY PLAN'][0].Plan));
        return (await client.query(text, parameters)).rows as Row[];
      },
    });
    expect(nodes.length).toBeGreaterThan(0);
    const removed = (node: PlanNode) => (node['Rows Removed by Filter'] ?? 0) * (node['Actual Loops'] ?? 1);
    // What a row is asked may be looked up for it, or for all there are at once.
    const lookedUp = (node: PlanNode) => (node['Parent Relationship'] === 'SubPlan' ? node['Actual Rows'] ?? 0 : 0);
    return {
      whole: nodes.filter((node) => node['Node Type'] === 'Seq Scan').map((node) => String(node['Relation Name'])),
      inVain: nodes.reduce((sum, node) => sum + removed(node) + lookedUp(node), 0),
    };
  }

  const urls = new FileUrls({ masterKey: 'a key of this test' });
  const jobs = (db: Queryable) => new JobQueries(db as Database, urls, testKeys(db));
  const collections = (db: Queryable) => new Collections(db as Database, urls, testKeys(db));
  const list = (filters: JobFilters) => (db: Queryable) => jobs(db).list(owner, filters, { limit: 20, after: null });
  const page = { limit: 20, before: null };
  const published = (filter: PublicFilter) => async (db: Queryable) => {
    const lists = new CollectionLists(db, urls);
    await lists.present(await lists.published(filter, { limit: 20, after: null }));
  };

  const owned = async (db: Queryable) => {
    const lists = new CollectionLists(db, urls);
    await lists.present(await lists.owned(owner, {}, { limit: 20, after: null }));
  };

  it.each<[string, (db: Queryable) => Promise<unknown>]>([
    ['jobs', list(NO_FILTERS)],
    ['jobs that wait', list({ status: 'pending' })],
    ['jobs that have failed', list({ status: 'failed' })],
    ['jobs with a tag', list({ tag: 'tag-1' })],
    ['jobs by the caller’s own id', list({ external_id: 'external-500' })],
    ['open jobs, as a stream begins with', (db) => jobs(db).open(owner, undefined, 100)],
    ['one’s own collections', owned],
    ['published collections', published({})],
    ['published collections on a chain', published({ blockchain: 'TEZOS' })],
    ['published collections of a name that few have', published({ q: 'ection 1235' })],
    ['published collections that begin with a letter that few have', published({ q: 'Z' })],
    ['published collections that begin with two such letters', published({ q: 'Zo' })],
    ['one collection and its newest files', (db) => collections(db).find(owner, collectionId)],
    ['what became of a collection', (db) => readHistory(db, testKeys(db), { id: collectionId, userId: owner }, page)],
    ['jobs of a collection', (db) => list({ collection_id: collectionId })(db)],
    ['the finished editions of a collection', (db) => editionIds(db, collectionId)],
    ['the generations of a job', (db) => jobs(db).generations(owner, jobId, -1, 20)],
    ['how an asset was made', (db) => findMadeAsset(db, testKeys(db), { userId: owner, role: 'user' }, assetId)],
    ['assets', (db) => listAssets(db, owner, page)],
    ['ledger entries', (db) => readLedger(db, owner, page)],
    ['the month’s usage', (db) => readMonthlyUsage(db, owner)],
    ['events after a position', (db) => new EventLog(db, testKeys(db)).afterPosition(
      { userId: owner }, { txid: '1', jobId: uuid(), seq: 0 }, 20)],
    ['generations that must run alone', (db) => aloneWaits(db, ['default', 'chromium', 'provider'])],
    ['the next generation of a lane', (db) => claim(db, testKeys(db), { lane: 'default', worker: 'w', idle: true })],
  ])('reads of %s only what it shows', async (_name, read) => {
    const { whole, inVain } = await judge(read);
    expect(whole).toEqual([]);
    expect(inVain).toBeLessThanOrEqual(IN_VAIN);
  });

  it.each([['queue', QUEUE, [60_000]], ['books', BOOKS, []]])('metrics of the %s read only what is open', async (_name, sql, parameters) => {
    const { whole } = await judge((db) => db.query(sql, parameters));
    expect(whole.filter((table) => !SMALL_TABLES.includes(table))).toEqual([]);
  });
});

/** A queue that came up after Postgres last looked what there is. */
async function queueUp(client: Client): Promise<void> {
  const jobId = uuid();
  await client.query(
    `insert into job (id, user_id, name, job_type, priority, instruction_set, generations)
     values ($1, $2, 'Queue', 'collection_generation', 50, '{"steps": []}', 1000)`, [jobId, owner]);
  await client.query(
    `insert into generation (id, job_id, user_id, index, hash, lane, priority, turn, price, wake_at)
     select gen_random_uuid(), $1, $2, n, n::text, 'default', 50, n, 0, now() from generate_series(0, 999) n`,
    [jobId, owner]);
}

const nodesOf = (node: PlanNode): PlanNode[] => [node, ...(node.Plans ?? []).flatMap(nodesOf)];
