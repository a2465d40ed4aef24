import type { VariableDefinition } from '#libs/instruction-set/instruction-set.js';
import { createAsset, createCollection } from '../../../test/factories/asset.js';
import { CollectionCalls } from '../../../test/factories/collection-calls.js';
import { createUser } from '../../../test/factories/job-submission.js';
import { startTestApi, type TestApi } from '../../../test/setup/api.js';
import { eventually } from '../../../test/setup/eventually.js';

const PALETTE: VariableDefinition = {
  name: 'word', type: 'weighted_pick', value_type: 'strings',
  value: { values: ['=sand', 'sea'], display_names: ['Sand', 'Sea'], weights: [1, 3] },
};

describe("a collection's variables", () => {
  let api: TestApi;
  let own: CollectionCalls;

  beforeAll(async () => {
    api = await startTestApi();
  });
  afterAll(() => api.close());
  beforeEach(async () => {
    own = new CollectionCalls(api, await createUser(api.database));
  });

  const sheetOf = async (id: string, headers: Record<string, string> = { accept: 'text/csv' }, query = '') =>
    fetch(`${api.url}/collections/${id}/variables${query}`, { headers: { ...api.as(own.userId), ...headers } });
  const sendSheet = async (id: string, body: string | Uint8Array<ArrayBuffer>, type = 'text/csv; charset=utf-8') => {
    const headers = { ...api.as(own.userId), 'content-type': type };
    const response = await fetch(`${api.url}/collections/${id}/variables`, { method: 'PUT', headers, body });
    return { ...((await response.json()) as Awaited<ReturnType<CollectionCalls['ask']>>), status: response.status };
  };
  const variablesOf = async (id: string) => (await own.dataOf('GET', `/collections/${id}/variables`)) as unknown as { variables: unknown };

  it('come out as a sheet and go in again as they were', async () => {
    const { id } = await own.draft();
    expect(await own.ask('PUT', `/collections/${id}/variables`, { variables: [PALETTE] })).toMatchObject({ status: 200, data: { id } });
    expect(await variablesOf(id)).toEqual({ variables: [PALETTE] });
    const sheet = await sheetOf(id);
    expect(sheet.headers.get('content-type')).toMatch(/^text\/csv; charset=utf-8/);
    expect(sheet.headers.get('content-disposition')).toBe(`attachment; filename="${id}-variables.csv"`);
    const bytes = new Uint8Array(await sheet.arrayBuffer());
    expect((await sheetOf(id, {}, '?format=csv')).status).toBe(200);
    const changed = Buffer.from(bytes).toString().replace('Sea,3', 'Ocean,5');
    expect(await sendSheet(id, changed)).toMatchObject({ status: 200 });
    const { value, ...same } = PALETTE;
    expect(await variablesOf(id)).toEqual({
      variables: [{ ...same, value: { ...value, display_names: ['Sand', 'Ocean'], weights: [1, 5] } }],
    });
  });

  it('leave what was before in the history, and the steps under new ids that go on from the old', async () => {
    const { id } = await own.draft();
    const before = (await own.dataOf('GET', `/collections/${id}`)).data;
    await own.ask('PUT', `/collections/${id}/variables`, { variables: { word: 'sea' } });
    const [entry] = await own.history(id);
    expect(entry).toMatchObject({ action: 'updated', data: { before: { data: { variables: { word: 'sand' } } } } });
    const after = (await own.dataOf('GET', `/collections/${id}`)).data;
    expect(after).toMatchObject({ variables: { word: 'sea' }, steps: [{ fromId: before.steps[0]!.id, nodeName: 'javascript' }] });
    expect(after.steps[0]!.id).not.toBe(before.steps[0]!.id);
  });

  it('are refused with row and column, and with the steps that would miss one', async () => {
    const { id } = await own.draft();
    const answer = await sendSheet(id, 'name,type,value_type,value\nword,pick,numbers,one\nword,,,2');
    expect(answer).toMatchObject({
      status: 400, details: [{ field: 'rows[2].value', message: 'row 2, column value: must be a number' }],
    });
    expect(await sendSheet(id, 'name,type,value_type,value\nother,fixed,strings,x')).toMatchObject({
      status: 400, details: [{ field: 'steps[0].nodePayload.inputs.x', message: expect.stringContaining('"word"') }],
    });
    expect(await own.ask('PUT', `/collections/${id}/variables`, { variables: [{ name: 'word' }] })).toMatchObject({
      status: 400, details: expect.arrayContaining([expect.objectContaining({ field: 'variables[0].type' })]),
    });
    expect(await own.actions(id)).toEqual(['created']);
  });

  it('are no sheet of other types or sizes, and no other route takes sheets', async () => {
    const { id } = await own.draft();
    expect((await sendSheet(id, 'x', 'application/vnd.ms-excel')).status).toBe(415);
    expect((await sendSheet(id, 'x'.repeat(1_100_000))).status).toBe(413);
    const headers = { ...api.as(own.userId), 'content-type': 'text/csv' };
    expect((await fetch(`${api.url}/projects/collections`, { method: 'POST', headers, body: 'a' })).status).toBe(415);
  });

  it('leave in place what another change does to the set meanwhile', async () => {
    const { id } = await own.draft();
    let answer: ReturnType<CollectionCalls['ask']> | undefined;
    await api.database.transaction(async (tx) => {
      await tx.query('select from collection where id = $1 for update', [id]);
      answer = own.ask('PUT', `/collections/${id}/variables`, { variables: { word: 'sea' } });
      await eventually(async () => {
        const waiting = await api.database.query(
          "select from pg_stat_activity where wait_event_type = 'Lock' and query like '%from collection%'");
        expect(waiting).toHaveLength(1);
      });
      await tx.query(`update collection set data = jsonb_set(data, '{generations,generations}', '7') where id = $1`, [id]);
    });
    expect(await answer).toMatchObject({
      status: 200, data: { data: { variables: { word: 'sea' }, generations: { generations: 7 } } },
    });
    expect(await own.actions(id)).toEqual(['updated', 'created']);
  });

  describe('that are images', () => {
    const images = (...values: unknown[]) => ({
      data: { steps: [], variables: [{ name: 'pic', type: 'pick', value_type: 'images', value: { values } }] },
    });
    const faultsOf = async (...values: unknown[]) => {
      const { status, details = [] } = await own.ask('POST', '/projects/collections', images(...values));
      return { status, fields: details.map(({ field }) => field) };
    };

    it('may be files of one\'s own, public ones, URLs of other hosts and steps of one\'s collections', async () => {
      const stranger = await createUser(api.database);
      const [mine, open] = [
        await createAsset(api.database, { userId: own.userId }),
        await createAsset(api.database, { userId: stranger, collectionId: await createCollection(api.database, stranger) }),
      ];
      const collectionId = await createCollection(api.database, own.userId, { status: 'draft' });
      const made = await createAsset(api.database, { userId: own.userId, collectionId });
      await api.database.query('update flat_file set step_id = 7 where id = $1', [made.id]);
      expect(await faultsOf(
        mine.id, `/files/${mine.storageKey}`, open.id, 'https://example.com/a.png', { $ref: 7, collection: collectionId },
      )).toEqual({ status: 201, fields: [] });
    });

    it('are refused by their place where they are another\'s, no images, or not to be reached', async () => {
      const stranger = await createUser(api.database);
      const theirs = await createAsset(api.database, { userId: stranger });
      const text = await createAsset(api.database, { userId: own.userId, mimeType: 'text/plain' });
      const theirCollection = await createCollection(api.database, stranger, { status: 'draft' });
      const values = [
        theirs.id, `/files/${theirs.storageKey}`, text.id, 'http://127.0.0.1/a.png', 'ftp://example.com/a.png', '999999999',
        { $ref: 1 }, { $ref: 7, collection: theirCollection },
      ];
      expect(await faultsOf(...values)).toEqual({
        status: 400, fields: values.map((_value, index) => `data.variables[0].value.values[${index}]`),
      });
    });

    it('are looked at again when editions are submitted, before anything is held', async () => {
      const mine = await createAsset(api.database, { userId: own.userId });
      const step = { id: 'a', nodeName: 'javascript', nodePayload: { code: 'return 1', inputs: { pic: '{{pic}}' } } };
      const { id } = await own.draft({ data: { ...images(mine.id).data, steps: [step] } });
      await api.database.query('update flat_file set deleted_at = now() where id = $1', [mine.id]);
      expect(await own.ask('POST', `/collections/${id}/generations`, {})).toMatchObject({
        status: 400, details: [{ field: 'data.variables[0].value.values[0]' }],
      });
    });

    it('name row and column of a sheet', async () => {
      const { id } = await own.draft({ data: { steps: [], variables: {} } });
      expect(await sendSheet(id, 'name;type;value_type;value\npic;pick;images;https://example.com/a.png\n;;;999999999')).toMatchObject({
        status: 400, details: [{ field: 'rows[3].value', message: 'row 3, column value: is no image that you may use' }],
      });
    });
  });
});
