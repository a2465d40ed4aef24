import { randomUUID } from 'node:crypto';
import type { Caller } from '#libs/identity/caller.js';
import { buildWorkflow, createWorkflow } from '../../test/factories/workflow.js';
import { createTestDatabase, type TestDatabase } from '../../test/setup/database.js';
import { WorkflowCatalog, type WorkflowKey } from './workflow-catalog.js';

const user = (): Caller => ({ userId: randomUUID(), role: 'user' });
const FIRST_PAGE = { limit: 100, after: null };

describe('WorkflowCatalog', () => {
  let db: TestDatabase;
  let catalog: WorkflowCatalog;
  let author: Caller;

  beforeAll(async () => {
    db = await createTestDatabase();
  });
  afterAll(() => db.close());
  beforeEach(async () => {
    await db.database.query('truncate workflow, workflow_version');
    catalog = new WorkflowCatalog(db.database);
    author = user();
  });
  const store = (differs = {}) => createWorkflow(db.database, author.userId, differs);
  const notFound = expect.objectContaining({ code: 'WORKFLOW_NOT_FOUND', status: 404 });

  it('keeps what was saved, as version 1 of its own', async () => {
    const workflow = await store({ tags: ['ink'] });
    expect(await catalog.find(workflow.id, author)).toEqual(workflow);
    expect(await catalog.version(workflow.id, 1)).toMatchObject(
      { id: workflow.id, version: 1, data: workflow.data },
    );
    await expect(catalog.version(workflow.id, 2)).rejects.toEqual(notFound);
  });

  it('shows a private workflow to its author and to admins, to all others it does not exist', async () => {
    const { id } = await store({ visibility: 'private' });
    expect(await catalog.find(id, author)).toMatchObject({ id });
    expect(await catalog.find(id, { ...user(), role: 'admin' })).toMatchObject({ id });
    for (const stranger of [user(), undefined]) await expect(catalog.find(id, stranger)).rejects.toEqual(notFound);
    await expect(catalog.find('nonsense', author)).rejects.toEqual(notFound);
  });

  it('stores a name once, also when two come at once', async () => {
    const outcomes = await Promise.allSettled(Array.from({ length: 5 }, () => store({ name: 'fox' })));
    const refused = outcomes.filter((outcome) => outcome.status === 'rejected');
    expect(refused.map(({ reason }) => reason.code)).toEqual(Array(4).fill('NAME_TAKEN'));
    expect(await db.database.query('select 1 from workflow_version')).toHaveLength(1);
  });

  it('reads a change at once although it keeps versions in memory', async () => {
    const { id } = await store();
    await catalog.find(id, undefined);
    await db.database.query(
      `insert into workflow_version (workflow_id, version, user_id, name, type, data)
       values ($1, 2, gen_random_uuid(), 'x', 'pipeline', '{"test": {}}')`,
      [id],
    );
    await db.database.query(`update workflow set version = 2, visibility = 'private' where id = $1`, [id]);
    expect(await catalog.find(id, author)).toMatchObject({ version: 2, data: { test: {} } });
    expect((await catalog.version(id, 1)).data).toEqual(buildWorkflow().data);
    await expect(catalog.find(id, undefined)).rejects.toEqual(notFound);
  });

  describe('replace', () => {
    const replace = (id: string, who: Caller, differs = {}) =>
      db.database.transaction((tx) => catalog.replace(tx, id, who, buildWorkflow(differs)));

    it('makes the next version, and leaves those before it as they were', async () => {
      const { id, data } = await store({ name: 'fox', visibility: 'private' });
      const saved = await replace(id, author, { name: 'red fox', type: 'basic', data: {} });
      expect(saved).toMatchObject({ id, version: 2, name: 'red fox', type: 'basic', data: {}, user_id: author.userId });
      expect(await catalog.find(id, author)).toMatchObject({ version: 2, data: {} });
      expect(await catalog.version(id, 1)).toMatchObject({ name: 'fox', type: 'pipeline', data });
    });

    it('counts each of many saves at once', async () => {
      const { id } = await store({ name: 'fox' });
      await Promise.all(Array.from({ length: 5 }, () => replace(id, author, { name: 'fox' })));
      expect(await catalog.find(id, author)).toMatchObject({ version: 6 });
    });

    it("leaves another's name and another's workflow alone", async () => {
      const [fox, crow] = [await store({ name: 'fox' }), await store({ name: 'crow', visibility: 'private' })];
      await expect(replace(fox.id, author, { name: 'crow' })).rejects.toMatchObject({ code: 'NAME_TAKEN' });
      await expect(replace(fox.id, user())).rejects.toMatchObject({ code: 'FORBIDDEN' });
      await expect(replace(crow.id, user())).rejects.toEqual(notFound);
      expect(await catalog.find(fox.id, author)).toMatchObject({ name: 'fox', version: 1 });
      const admin: Caller = { ...user(), role: 'admin' };
      expect(await replace(crow.id, admin, { name: 'jay' })).toMatchObject({ user_id: author.userId, saved_by_admin: true });
    });
  });

  it('deletes a workflow and frees its name, but keeps its versions for what was made of them', async () => {
    const { id } = await store({ name: 'fox' });
    const remove = (who: Caller) => db.database.transaction((tx) => catalog.delete(tx, id, who));
    await expect(remove(user())).rejects.toMatchObject({ code: 'FORBIDDEN' });
    await remove(author);
    await expect(catalog.find(id, author)).rejects.toEqual(notFound);
    await expect(remove(author)).rejects.toEqual(notFound);
    expect(await catalog.version(id, 1)).toMatchObject({ name: 'fox' });
    await store({ name: 'fox' });
  });

  it('remembers whether an admin saved it', async () => {
    const admin: Caller = { ...author, role: 'admin' };
    const { id } = await db.database.transaction((tx) => catalog.create(tx, admin, buildWorkflow()));
    expect(await catalog.version(id, 1)).toMatchObject({ saved_by_admin: true });
    expect(await catalog.find((await store()).id, author)).toMatchObject({ saved_by_admin: false });
  });

  describe('list', () => {
    const namesOf = async (filter: Parameters<WorkflowCatalog['list']>[1], caller?: Caller) =>
      (await catalog.list(caller, filter, FIRST_PAGE)).map(({ name }) => name);

    it('has the public ones and the own, newest first', async () => {
      await store({ name: 'public' });
      await store({ name: 'mine', visibility: 'private' });
      expect(await namesOf({})).toEqual(['public']);
      expect(await namesOf({}, author)).toEqual(['mine', 'public']);
      expect(await namesOf({}, user())).toEqual(['public']);
    });

    it('filters by type, tag and words, taken literally', async () => {
      await store({ name: 'ink', tags: ['art', 'dark'], description: '100% black' });
      await store({ name: 'form', type: 'basic', label: 'Oil_Paint' });
      expect(await namesOf({ type: 'basic' })).toEqual(['form']);
      expect(await namesOf({ tag: 'dark' })).toEqual(['ink']);
      expect(await namesOf({ tag: 'dar' })).toEqual([]);
      expect(await namesOf({ q: 'L_pAINT' })).toEqual(['form']);
      expect(await namesOf({ q: '0%' })).toEqual(['ink']);
      expect(await namesOf({ q: '1_0' })).toEqual([]);
      expect(await namesOf({ q: '\\' })).toEqual([]);
    });

    it('pages without gap or repeat', async () => {
      for (let index = 0; index < 5; index++) await store({ name: `w${index}` });
      const seen: string[] = [];
      for (let after: WorkflowKey | null = null; ; ) {
        const page = await catalog.list(undefined, {}, { limit: 2, after });
        seen.push(...page.slice(0, 2).map(({ name }) => name));
        const last = page[1];
        if (page.length < 3 || !last) break;
        after = [last.created_at_text, last.id];
      }
      expect(seen).toEqual(['w4', 'w3', 'w2', 'w1', 'w0']);
    });
  });
});
