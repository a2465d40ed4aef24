import { NodeRegistry } from '#libs/nodes/registry.js';
import { AssetHandle, type NodeContext, type NodeDefinition } from '#libs/nodes/node.js';
import { addOneStepKind } from '../../test/factories/one-step-kind.js';
import { checkAuthoredPayload } from '#libs/instruction-set/payload-check.js';
import type { WorkflowVersion } from './stored-workflow.js';
import { workflowNode } from './workflow-node.js';

const HASH = 'oo123456789abcdefghijkmnopqrstuvwxyzABCDEFGHJKLMNPQ';
const file = new AssetHandle({ id: '7', storageKey: 'k', name: 'a.png', mimeType: 'image/png', size: 1, sha256: 'f' });

const given: NodeContext[] = [];
const worker: NodeDefinition = {
  name: 'worker', aliases: [], title: 'Worker', lane: 'provider', storedOnly: true, payload: {}, timeLimitMs: 5,
  run: async (context) => (given.push(context), { kind: 'done' }),
  cancel: async () => undefined,
};
const workflow: WorkflowVersion = {
  id: 'w', version: 2, user_id: 'author', name: 'Fox maker', label: null, type: 'one_step', output_mime_type: 'image/png',
  saved_by_admin: false,
  data: {
    form: {
      fields: [
        { id: 'prompt', required: true }, { id: 'size', type: 'slider', default: 3, constraints: { max: 9 } },
        { id: 'picture', type: 'image_loader' },
      ],
    },
  },
};
const context = (payload: NodeContext['payload']): NodeContext => ({
  payload, hash: HASH, generationIndex: 4, edition: { userId: 'u', jobId: 'j', generationId: 'g' },
}) as unknown as NodeContext;

describe('workflowNode', () => {
  let node: NodeDefinition;
  beforeAll(() => {
    addOneStepKind('worker');
    const secrets = { reveal: async (user: string, name: string) => (name === 'KEY' ? `${user}'s` : null) };
    node = workflowNode(workflow, new NodeRegistry([worker]), 'shelf', secrets)!;
  });
  beforeEach(() => void given.splice(0));

  it("has its name and its type's lane, and is no step that only workflows reach", () => {
    expect(node).toMatchObject({ name: 'Fox maker', title: 'Fox maker', lane: 'provider', timeLimitMs: 5 });
    expect(node.storedOnly).toBeUndefined();
    expect(node.poll).toBeUndefined();
  });

  it('runs the built-in node with what its type makes of the form', async () => {
    await node.run(context({ prompt: 'a fox', size: '4', picture: file } as never));
    expect(given[0]?.payload).toEqual({
      values: { prompt: 'a fox', size: 4, picture: file },
      test: null,
      system: {
        hash: HASH, seed: expect.any(Number), prefix: 'generations/u/j/g', filename: HASH, bucket: 'shelf',
        generation_index: 4, user_id: 'u',
      },
    });
  });

  it("reads its author's secrets, whoever runs it", async () => {
    await node.run(context({ prompt: 'a fox' }));
    expect(await given[0]!.secret('KEY')).toBe("author's");
    await expect(given[0]!.secret('OTHER')).rejects.toMatchObject({ code: 'MISSING_SECRET', permanent: true });
  });

  it('does not run with what the form refuses', async () => {
    const running = async () => node.run(context({ prompt: 'a fox', size: 10 }));
    await expect(running()).rejects.toMatchObject({ code: 'INVALID_PAYLOAD', message: expect.stringContaining('size') });
    expect(given).toEqual([]);
  });

  it('takes names that only its mapping knows, with any plain value', async () => {
    const mapped = workflowNode({ ...workflow, type: 'one_step', data: { ...workflow.data, inputs: ['style', 'hash'] } }, new NodeRegistry([worker]), '', { reveal: async () => null })!;
    await mapped.run(context({ prompt: 'a fox', style: 4, hash: 'mine' }));
    expect(given[0]?.payload).toMatchObject({ values: { prompt: 'a fox', style: 4 }, system: { hash: HASH } });
    expect(given[0]?.payload['values']).not.toHaveProperty('hash');
    const faults = checkAuthoredPayload(mapped, { prompt: 'a fox', style: { a: 1 }, tone: 1 }, {});
    expect(faults.map(({ field }) => field)).toEqual(['tone', 'style']);
  });

  it('is checked as the form says when a set is saved, but for what is known later', () => {
    const faultsOf = (payload: object, variables = {}) =>
      checkAuthoredPayload(node, payload as never, variables).map(({ field }) => field);
    expect(faultsOf({ prompt: '{{subject}}', size: 4 })).toEqual([]);
    expect(faultsOf({ prompt: { $ref: 1 }, size: { $ref: 1 } })).toEqual([]);
    expect(faultsOf({ size: 11, colour: 'red' })).toEqual(['prompt', 'colour', 'size']);
    expect(faultsOf({ prompt: 'a fox', size: '{{n}}' }, { n: 11 })).toEqual(['size']);
  });
});
