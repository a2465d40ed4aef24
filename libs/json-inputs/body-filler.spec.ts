import type { Json } from '#libs/instruction-set/instruction-set.js';
import { AssetHandle } from '#libs/nodes/node.js';
import { Expressions } from '#libs/sandbox/expressions.js';
import { QuickJsSandbox } from '#libs/sandbox/quickjs/quickjs-sandbox.js';
import { BodyFiller } from './body-filler.js';

const MIB = 1024 ** 2;
const file = (size: number) =>
  new AssetHandle({ id: '7', storageKey: 'k', name: 'a.png', mimeType: 'image/png', size, sha256: 'f' });
const placed = (pathJq: string, value: Json | AssetHandle) => ({ pathJq, value: value as Json, as: 'base64' as const });

describe('a body with values at its places', () => {
  const sandbox = new QuickJsSandbox();
  afterAll(() => sandbox.close());
  const filler = new BodyFiller(new Expressions(sandbox));
  let read: number;
  beforeEach(() => void (read = 0));

  const filled = (body: Json, inputs: Array<ReturnType<typeof placed>>) => {
    const assets = { read: async () => Buffer.from(`${++read}`), open: async () => { throw new Error('It was opened'); } };
    return filler.fill(body, inputs, { assets, signal: AbortSignal.timeout(5_000) });
  };
  const images = Array.from({ length: 40 }, () => '');

  it('has them as often as their paths lead to one, and each file is read once', async () => {
    expect(await filled({ images: ['', ''], n: 1 }, [placed('.images[]', file(15 * MIB)), placed('.n', 2)])).toEqual({
      images: ['MQ==', 'MQ=='], n: 2,
    });
    expect(read).toBe(1);
  });

  it.each([
    ['one file is too large', [placed('.images[0]', file(16 * MIB + 1))]],
    ['many are together', [0, 1, 2].map((index) => placed(`.images[${index}]`, file(16 * MIB)))],
    ['one is in it too often', [placed('.images[]', file(MIB))]],
    ['a text is in it too often', [placed('.images[]', 'x'.repeat(MIB)), placed('.images[0]', file(1))]],
  ])('is refused before anything is read when %s', async (_case, inputs) => {
    await expect(filled({ images }, inputs)).rejects.toMatchObject({ code: 'INPUT_TOO_LARGE', permanent: true });
    expect(read).toBe(0);
  });
});
