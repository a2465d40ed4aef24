import { randomUUID } from 'node:crypto';
import { createTestDatabase, type TestDatabase } from '../../test/setup/database.js';
import { buildCollection } from '../../test/factories/collection.js';
import { createUser } from '../../test/factories/job-submission.js';
import { createCollection, reserveCollection, type NewCollection } from './new-collection.js';
import { Projects } from './projects.js';

describe('createCollection', () => {
  let db: TestDatabase;
  let userId: string;

  beforeAll(async () => {
    db = await createTestDatabase();
  });
  afterAll(() => db.close());
  beforeEach(async () => {
    userId = await createUser(db.database);
  });

  const create = (collection: NewCollection) => db.database.transaction((tx) => createCollection(tx, collection));
  const count = async (table: string, id: string) =>
    (await db.database.query(`select 1 from ${table} where collection_id = $1`, [id])).length;

  it('writes the draft with its components, preview and history', async () => {
    const reserved = await reserveCollection(db.database, { userId, projectId: null, steps: 2 });
    const metadata = {
      title: 'Dunes', price: 0.1, blockchain: 'TEZOS' as const, remixable: true,
      publish_date: '2027-01-31T12:00:00+02:00',
    };
    const row = await create(buildCollection(userId, { ...reserved, metadata }));
    expect(row).toMatchObject({
      user_id: userId, status: 'draft', title: 'Dunes', price: '0.1', publish_date: new Date('2027-01-31T10:00:00Z'),
      archived: false, batch_mint_enabled: false, editions: null, remixable: true, is_current: true,
    });
    const components = await db.database.query(
      'select id from component where collection_id = $1 order by id',
      [row.id],
    );
    expect(components.map(({ id }) => Number(id))).toEqual(reserved.componentIds);
    expect(await count('collection_preview', row.id)).toBe(1);
    expect(await count('collection_history', row.id)).toBe(1);
  });

  it("takes a date alone as midnight in UTC, whatever the database's time zone", async () => {
    const reserved = await reserveCollection(db.database, { userId, projectId: null, steps: 0 });
    const row = await db.database.transaction(async (tx) => {
      await tx.query(`set local timezone to 'Asia/Tokyo'`);
      return createCollection(tx, buildCollection(userId, { ...reserved, metadata: { publish_date: '2027-01-31' } }));
    });
    expect(row.publish_date?.toISOString()).toBe('2027-01-31T00:00:00.000Z');
  });

  it('makes one default project, however many first collections come at once', async () => {
    const rows = await Promise.all(
      Array.from({ length: 20 }, async () => {
        const reserved = await reserveCollection(db.database, { userId, projectId: null, steps: 0 });
        return create(buildCollection(userId, reserved));
      }),
    );
    const projects = await new Projects(db.database).list(userId, 10, null);
    expect(projects).toMatchObject([{ is_default: true, name: 'Default project', version: 'v2' }]);
    expect(new Set(rows.map(({ project_id }) => project_id))).toEqual(new Set([projects[0]?.id]));
  });

  it("takes a project of one's own, and knows no other", async () => {
    const own = await new Projects(db.database).create(db.database, userId, 'Mine');
    expect(await reserveCollection(db.database, { userId, projectId: own.id, steps: 0 })).toMatchObject({
      projectId: own.id,
    });
    const stranger = await createUser(db.database);
    for (const [asking, projectId] of [[stranger, own.id], [userId, randomUUID()]] as const) {
      await expect(reserveCollection(db.database, { userId: asking, projectId, steps: 0 })).rejects.toMatchObject({
        code: 'PROJECT_NOT_FOUND',
        status: 404,
      });
    }
  });

  it('links the files of the steps it is made from', async () => {
    const source = await reserveCollection(db.database, { userId, projectId: null, steps: 1 });
    const sourceRow = await create(buildCollection(userId, source));
    const [from = 0] = source.componentIds;
    const [file] = await db.database.query(
      `insert into flat_file (user_id, name, storage_key, size, sha256) values ($1, 'a', 'k', 1, 's') returning id`,
      [userId],
    );
    await db.database.query(
      'insert into component_flat_file (component_id, flat_file_id) values ($1, $2)',
      [from, file?.id],
    );
    const reserved = await reserveCollection(db.database, { userId, projectId: sourceRow.project_id, steps: 1 });
    await create(buildCollection(userId, { ...reserved, inherits: [String(from)] }));
    expect(
      await db.database.query(
        'select flat_file_id from component_flat_file where component_id = $1',
        reserved.componentIds,
      ),
    ).toEqual([{ flat_file_id: file?.id }]);
  });
});
