import { generateHash } from '#libs/instruction-set/hash.js';
import type { JsonObject } from '#libs/instruction-set/instruction-set.js';
import { randomStream, SeededRandom } from '#libs/instruction-set/random.js';
import type { NodeContext } from './node.js';
import { checkPayload } from './payload.js';
import type { ChatModel } from '#libs/providers/chat-model.js';
import { promptNode } from './prompt.node.js';

const node = promptNode({} as ChatModel);
const HASH = generateHash();

async function write(template: string | number, hash = HASH): Promise<unknown> {
  const random = new SeededRandom(randomStream(hash, 'step:1'));
  const outcome = await node.run({ payload: { template }, hash, random } as NodeContext<{
    template: string;
  }>);
  return outcome.kind === 'done' && outcome.value;
}

const manyTexts = (template: string) =>
  Promise.all(Array.from({ length: 300 }, () => write(template, generateHash())));
const faultsOf = (payload: JsonObject) =>
  checkPayload(node, payload).faults.map(({ path }) => path);

describe('prompt', () => {
  it.each([
    ['plain text', 'plain text'],
    ['a lone { brace, a lone } and a | pipe', 'a lone { brace, a lone } and a | pipe'],
    ['{"json": {"stays": [1]}}', '{"json": {"stays": [1]}}'],
    ['\\{a\\|b\\} and C:\\path', '{a|b} and C:\\path'],
    ['{same|same} {one|one}', 'same one'],
    ['{a|a', '{a|a'],
    ['x{{a|a}|{a|a}}', 'xa'],
    ['{|}', ''],
    ['{1.5::b|0::c}', 'b'],
  ])('writes %s', (template, text) => expect(write(template)).resolves.toBe(text));

  it('writes a number that a variable brought', () => expect(write(42)).resolves.toBe('42'));

  it('picks every alternative, by the hash', async () => {
    expect([...new Set(await manyTexts('a {red|blue {sea|sky}} fish'))].sort()).toEqual([
      'a blue sea fish',
      'a blue sky fish',
      'a red fish',
    ]);
    const hash = generateHash();
    const long = '{a|b}'.repeat(40);
    expect(await write(long, hash)).toBe(await write(long, hash));
    expect(await write(long, hash)).not.toBe(await write(long));
  });

  it('picks in proportion to weights', async () => {
    const texts = await manyTexts('{9::often|rare|0::never}');
    expect(texts.filter((text) => text === 'often').length).toBeGreaterThan(220);
    expect(texts.filter((text) => text === 'rare').length).toBeGreaterThan(5);
    expect(texts).not.toContain('never');
  });

  it('takes time in proportion to the text, whatever stands in it', async () => {
    const spaces = ' '.repeat(90_000);
    const deep = `${'{'.repeat(50)}${spaces}|${'}'.repeat(50)}`;
    const started = process.cpuUsage();
    for (let round = 0; round < 4; round++) await write(deep);
    await write(`{${' |'.repeat(45_000)}}`);
    expect(process.cpuUsage(started).user / 1_000).toBeLessThan(3_000);
  });

  it('refuses braces too deep inside each other, in no time', async () => {
    const deep = (levels: number) => `${'{a|'.repeat(levels)}${'}'.repeat(levels)}`;
    const spaces = `${'{'.repeat(4_000)}${' '.repeat(90_000)}${'|}'.repeat(2_000)}`;
    const started = process.cpuUsage();
    for (const template of [deep(51), deep(20_000), '{'.repeat(50_000), spaces]) {
      expect(faultsOf({ template })).toEqual(['template']);
      await expect(write(template)).rejects.toMatchObject({ code: 'INVALID_PAYLOAD', permanent: true });
    }
    expect(process.cpuUsage(started).user / 1_000).toBeLessThan(3_000);
    expect(faultsOf({ template: deep(50) })).toEqual([]);
  });

  it('refuses a model without a name, weights without a sum and a template that is none', () => {
    expect(faultsOf({ template: 'x', model: 'gpt' })).toEqual([]);
    expect(faultsOf({ template: 'x', model: '' })).toEqual(['model']);
    expect(faultsOf({ template: '{0::a|0::b}' })).toEqual(['template']);
    expect(faultsOf({ template: {} })).toEqual(['template']);
    expect(faultsOf({ template: '{{subject}} in {a|b}' })).toEqual([]);
    return expect(write('{0::a|0::b}')).rejects.toMatchObject({ code: 'INVALID_PAYLOAD', permanent: true });
  });
});
