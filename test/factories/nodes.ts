import { setTimeout as sleep } from 'node:timers/promises';
import type { Json } from '#libs/instruction-set/instruction-set.js';
import { defineNode, inputFault, type AssetHandle, worldFault, type NodeDefinition } from '#libs/nodes/node.js';

/** What the outside did, for tests that ask "how often was it called?". */
export interface Outside {
  calls: string[];
  answers: Map<string, Json>;
  cancelled: string[];
}

export const createOutside = (): Outside => ({ calls: [], answers: new Map(), cancelled: [] });

/** Nodes that behave on cue: `echo`, `file`, `fail` (n times), `slow`, `wait` (for `outside.answers`), `deliver`. */
export function testNodes(outside: Outside): NodeDefinition[] {
  return [echoNode(outside), fileNode(outside), failNode(outside), slowNode(outside), waitNode(outside), deliverNode(outside), readNode, oddNode];
}

const anyPayload = { type: 'object' };

const echoNode = (outside: Outside) =>
  defineNode<{ value: Json }>({
    name: 'echo', aliases: [], title: 'Echo', lane: 'default', payload: anyPayload, timeLimitMs: 5_000,
    async run({ payload, generationIndex }) {
      outside.calls.push(`echo:${generationIndex}:${JSON.stringify(payload.value)}`);
      return { kind: 'done', value: payload.value };
    },
  });

const fileNode = (outside: Outside) =>
  defineNode<{ text: string }>({
    name: 'file', aliases: [], title: 'File', lane: 'default', payload: anyPayload, timeLimitMs: 5_000,
    async run({ payload, hash, generationIndex }) {
      outside.calls.push(`file:${generationIndex}`);
      const bytes = Buffer.from(`${payload.text} ${hash}`);
      return {
        kind: 'done',
        assets: [{ name: 'note.txt', bytes, mimeType: 'text/plain' }],
        traits: [{ trait_type: 'Text', value: payload.text }],
      };
    },
  });

const failNode = (outside: Outside) =>
  defineNode<{ times: number; permanent?: boolean; name?: string }>({
    name: 'fail', aliases: [], title: 'Fail', lane: 'default', payload: anyPayload, timeLimitMs: 5_000,
    async run({ payload, generationIndex }) {
      const key = `fail:${payload.name ?? ''}:${generationIndex}`;
      outside.calls.push(key);
      const calls = outside.calls.filter((call) => call === key).length;
      if (calls > payload.times) return { kind: 'done', value: calls };
      throw payload.permanent ? inputFault('BAD_INPUT', 'No good') : worldFault('OUTAGE', 'Try later', 10);
    },
  });

const readNode = defineNode<{ file: AssetHandle }>({
  name: 'read', aliases: [], title: 'Read', lane: 'default', timeLimitMs: 5_000,
  payload: { type: 'object', properties: { file: { asset: true } } },
  async run({ payload, assets }) {
    return { kind: 'done', value: String(await assets.read(payload.file)) };
  },
});

/** Says what Postgres cannot store, wherever a node can say something. */
const oddNode = defineNode<{ fails: boolean }>({
  name: 'odd', aliases: [], title: 'Odd', lane: 'default', payload: anyPayload, timeLimitMs: 5_000,
  async run({ payload, log }) {
    log('line\0 \uD800');
    if (payload.fails) throw inputFault('ODD', 'message\0 \uDC00');
    return { kind: 'done', value: { 'key\0': 'value\0' }, traits: [{ trait_type: 'T\0', value: '\uD800' }] };
  },
});

const slowNode = (outside: Outside) =>
  defineNode<{ ms: number }>({
    name: 'slow', aliases: [], title: 'Slow', lane: 'default', payload: anyPayload, timeLimitMs: 60_000,
    async run({ payload, signal, generationIndex, progress }) {
      outside.calls.push(`slow:${generationIndex}`);
      for (let passed = 0; passed < payload.ms; passed += 20) {
        await sleep(20, undefined, { signal });
        progress(passed / payload.ms);
      }
      return { kind: 'done', value: 'slept' };
    },
  });

const waitNode = (outside: Outside) =>
  defineNode<{ name: string; poll?: number; timeout?: number }>({
    name: 'wait', aliases: [], title: 'Wait', lane: 'provider', payload: anyPayload, timeLimitMs: 5_000,
    async run({ payload, token }) {
      outside.calls.push(`submit:${payload.name}`);
      return {
        kind: 'waiting',
        reference: { name: payload.name, token },
        ...(payload.poll !== undefined && { pollAfterMs: payload.poll }),
        ...(payload.timeout !== undefined && { timeoutMs: payload.timeout }),
      };
    },
    async poll({ payload }, reference) {
      outside.calls.push(`poll:${payload.name}`);
      const answer = outside.answers.get(payload.name);
      if (answer !== undefined) return { kind: 'done', value: answer };
      return { kind: 'waiting', reference, ...(payload.poll !== undefined && { pollAfterMs: payload.poll }) };
    },
    async cancel(reference) {
      outside.cancelled.push((reference as { name: string }).name);
    },
  });

/** Is about to wait for `ms`, then waits for what a webhook brings. */
const deliverNode = (outside: Outside) =>
  defineNode<{ ms?: number }>({
    name: 'deliver', aliases: [], title: 'Deliver', lane: 'provider', payload: anyPayload, timeLimitMs: 60_000,
    async run({ payload, signal, token }) {
      outside.calls.push(`ask:${token}`);
      await sleep(payload.ms ?? 0, undefined, { signal });
      return { kind: 'waiting', reference: null };
    },
    async poll({ delivery }, reference) {
      const body = await delivery(reference === null ? undefined : String(reference));
      return body === null ? { kind: 'waiting', reference } : { kind: 'done', value: body };
    },
    async find({ delivery }, lostToken) {
      return (await delivery(lostToken)) === null ? null : lostToken;
    },
  });
