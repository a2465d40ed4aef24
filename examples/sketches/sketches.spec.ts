import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { HASH, OTHER_HASHES, sha256, sketchRun, testRenderer } from '../../test/factories/sketch-run.js';

const sketches = readdirSync(import.meta.dirname).filter((name) => name.endsWith('.js'));
const renderer = testRenderer();
afterAll(() => renderer.close());

describe.each(sketches)('%s', (name) => {
  const code = readFileSync(join(import.meta.dirname, name), 'utf8');
  const render = (hash: string) => renderer.render(sketchRun(code, { hash, width: 300, height: 200 }));

  it('draws another picture for another hash, the same for the same, and names its features', async () => {
    const [one, again, other] = await Promise.all([HASH, HASH, OTHER_HASHES[0]!].map(render));
    expect(sha256(again!)).toBe(sha256(one!));
    expect(sha256(other!)).not.toBe(sha256(one!));
    expect(one).toMatchObject({ width: 300, height: 200, logs: [] });
    expect(Object.keys(one!.features).length).toBeGreaterThanOrEqual(3);
  });
});
