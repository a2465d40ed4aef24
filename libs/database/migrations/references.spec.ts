import { createTestDatabase } from '../../../test/setup/database.js';

/** References that follow what they refer to when it is removed, and have no index that finds them. */
const UNINDEXED = `
  select c.conrelid::regclass || '.' || a.attname as reference
    from pg_constraint c join pg_attribute a on a.attrelid = c.conrelid and a.attnum = c.conkey[1]
   where c.contype = 'f' and c.confdeltype in ('c', 'n') and not exists (
     select from pg_index i
      where i.indrelid = c.conrelid and i.indkey[0] = c.conkey[1]
        and (i.indpred is null or pg_get_expr(i.indpred, i.indrelid) = format('(%I IS NOT NULL)', a.attname)))
   order by 1`;

it('what refers to a row that is removed is found by an index, however much there is', async () => {
  const test = await createTestDatabase();
  expect(await test.database.query(UNINDEXED)).toEqual([]);
  await test.close();
});
