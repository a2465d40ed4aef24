import type { JsonObject } from '#libs/instruction-set/instruction-set.js';
import { QuickJsSandbox } from '#libs/sandbox/quickjs/quickjs-sandbox.js';
import { javascriptNode } from './javascript.node.js';
import { AssetHandle, type NodeContext } from './node.js';
import { checkPayload } from './payload.js';

const sandbox = new QuickJsSandbox(1);
const node = javascriptNode(sandbox);
afterAll(() => sandbox.close());

const lines: string[] = [];
const run = (payload: Record<string, unknown>) =>
  node.run({
    payload: checkPayload(node, payload as JsonObject).payload,
    hash: 'oo1',
    generationIndex: 3,
    variables: { color: 'red' },
    signal: new AbortController().signal,
    log: (line: string) => void lines.push(line),
  } as unknown as NodeContext<never>);

describe('javascript', () => {
  it('gives the script its inputs, variables, hash and index, and returns its value', async () => {
    const code = 'console.log("seen"); return { n: inputs.n + 1, ...variables, hash, generation_index }';
    const value = { n: 2, color: 'red', hash: 'oo1', generation_index: 3 };
    await expect(run({ code, inputs: { n: 1 } })).resolves.toEqual({ kind: 'done', value });
    expect(lines).toEqual(['seen']);
  });

  it('hands the same to an exported function', async () => {
    const code =
      'export default ({ inputs, variables, hash, random }) => [inputs, variables.color, hash, random() < 1]';
    await expect(run({ code })).resolves.toEqual({ kind: 'done', value: [{}, 'red', 'oo1', true] });
  });

  it('shows an asset by what is the same whenever it is made again', async () => {
    const asset = new AssetHandle({
      id: '77', storageKey: 'key', name: 'art.png', mimeType: 'image/png', size: 10, sha256: 'abc', width: 4, height: 3,
    });
    const value = { name: 'art.png', mime_type: 'image/png', size: 10, sha256: 'abc', width: 4, height: 3 };
    await expect(run({ code: 'return inputs.list[0]', inputs: { list: [asset] } })).resolves.toEqual({
      kind: 'done',
      value,
    });
  });

  it('makes an asset of bytes', async () => {
    const { assets } = (await run({ code: 'return new Uint8Array([137, 80])' })) as { assets: unknown };
    expect(assets).toEqual([{ name: 'output.bin', bytes: Buffer.from([137, 80]) }]);
  });

  it('fails for good, with its log, when the script does', async () => {
    await expect(run({ code: 'console.log("before"); throw new Error("no")' })).rejects.toMatchObject({
      code: 'SCRIPT_ERROR',
      message: 'Error: no (line 1)',
      permanent: true,
    });
    expect(lines.at(-1)).toBe('before');
    await expect(run({ code: 'for (;;);', time_limit_ms: 50 })).rejects.toMatchObject({
      code: 'TIME_LIMIT',
      permanent: true,
    });
  });

  it('may be tried again when it was not the script that failed', async () => {
    const closed = new QuickJsSandbox(1);
    await closed.close();
    const context = { payload: { code: 'return 1' }, log: () => {} } as unknown as NodeContext<never>;
    await expect(javascriptNode(closed).run(context)).rejects.toMatchObject({ permanent: false });
  });

  it('bounds what a payload may ask for', () => {
    const faults = checkPayload(node, { code: '', time_limit_ms: 60_001, memory_mb: 257 }).faults;
    expect(faults.map(({ path }) => path).sort()).toEqual(['code', 'memory_mb', 'time_limit_ms']);
  });
});
