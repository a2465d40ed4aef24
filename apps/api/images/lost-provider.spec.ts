import { ImageFaces } from '../../../test/factories/image-faces.js';
import { booksAreRight } from '../../../test/factories/reads.js';

const ROUTE = '/api/v1/generations';

describe('a provider that took a prediction and then', () => {
  let faces: ImageFaces;
  beforeEach(async () => {
    faces = await ImageFaces.start({}, { reports: false });
    faces.replicate.dials.runMs = Infinity;
  });
  afterEach(() => faces.close());

  it.each<[string, () => void | Promise<void>]>([
    ['answers nothing any more', () => void (faces.replicate.dials.onCall = () => 'hang')],
    ['is gone for good', () => faces.replicate.vanish()],
  ])('%s: failed at the end of its time, credits back once', async (_what, go) => {
    const userId = await faces.user();
    const { status, json } = await faces.call(userId, `POST ${ROUTE}`, { prompt: 'a fox' });
    expect([status, json.data['predictionId']]).toEqual([202, expect.any(String)]);
    const path = `${ROUTE}/${String(json.data['id'])}`;
    await faces.becomes(userId, path, 'processing');
    await go();
    // Its hour is over in a moment.
    const due = await faces.api.database.query<{ in_time: boolean }>(
      `with s as (select id, deadline_at from step_run where status in ('waiting', 'running'))
       update step_run set deadline_at = now() + interval '1 second' from s where s.id = step_run.id
       returning s.deadline_at between now() + interval '50 minutes' and now() + interval '61 minutes' as in_time`,
    );
    expect(due).toEqual([{ in_time: true }]);
    const failed = await faces.becomes(userId, path, 'failed', 40_000);
    expect(failed['error']).toEqual({ code: 'UPSTREAM_ERROR', message: expect.any(String) });
    expect(JSON.stringify(failed)).not.toMatch(/127\.0\.0\.1:\d+\/v1|ECONN|hang|socket/i);
    expect(await faces.account(userId)).toEqual({ balance: 100, held: 0, open: 0, inFlight: 0, used: 0 });
    const resolved = await faces.api.database.query(`select type from credit_entry where type in ('capture', 'release')`);
    expect(resolved).toEqual([{ type: 'release' }]);
    await booksAreRight(faces.api.database);
  }, 60_000);
});
