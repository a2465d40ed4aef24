import { checkVariables } from '#libs/instruction-set/variables.js';
import { isHash } from '#libs/instruction-set/hash.js';
import type { VariableDefinition } from '#libs/instruction-set/instruction-set.js';
import { toInstructionSet } from './to-instruction-set.js';
import type { WorkflowData } from './stored-workflow.js';

const steps = [{ id: 'text', nodeName: 'prompt', nodePayload: { template: '{{subject}}' } }];
const workflow = (data: WorkflowData, output_mime_type: string | null = 'image/png') => ({
  name: 'fox', label: null, type: 'pipeline', output_mime_type, data,
});

describe('toInstructionSet', () => {
  it('takes the steps, the values as variables, and a new hash for each generation', () => {
    const data: WorkflowData = { pipeline: { steps, variables: { paper: 'rough', subject: 'none' } } };
    const set = toInstructionSet(workflow(data), { subject: 'a fox' }, 3);
    expect(set).toMatchObject({
      version: 'v2', steps, generations: { generations: 3, use_custom_hashes: false },
      variables: { paper: 'rough', subject: 'a fox' },
    });
    const { hashes } = set.generations;
    expect(hashes).toHaveLength(3);
    expect(new Set(hashes.filter(isHash)).size).toBe(3);
  });

  it('gives fields that were left out a value, so that their names can be read', () => {
    const fields = [{ id: 'note' }, { id: 'count', type: 'slider' as const }];
    const set = toInstructionSet(workflow({ form: { fields }, pipeline: { steps } }), {}, 1);
    expect(set.variables).toEqual({ note: '', count: null });
  });

  it('keeps a list of variables as one, with the values fixed', () => {
    const picked: VariableDefinition = { name: 'mood', type: 'pick', value_type: 'strings', value: { values: ['a', 'b'] } };
    const replaced = { ...picked, name: 'subject' };
    const data: WorkflowData = { pipeline: { steps, variables: [picked, replaced] } };
    const { variables } = toInstructionSet(workflow(data), { subject: 'a fox', count: 2 }, 1);
    expect(variables).toEqual([
      picked,
      { name: 'subject', type: 'fixed', value_type: 'strings', value: { values: ['a fox'] } },
      { name: 'count', type: 'fixed', value_type: 'numbers', value: { values: [2] } },
    ]);
    expect(checkVariables(variables)).toEqual([]);
  });

  it('does not share the stored steps', () => {
    const data: WorkflowData = { pipeline: { steps } };
    expect(toInstructionSet(workflow(data), {}, 1).steps[0]).not.toBe(steps[0]);
  });

  it('refuses what does not execute', () => {
    const sentence = 'Workflow type not supported for generation';
    const refusal = { code: 'WORKFLOW_NOT_EXECUTABLE', status: 400 };
    expect(() => toInstructionSet(workflow({ pipeline: { steps } }, null), {}, 1)).toThrow(expect.objectContaining({
      ...refusal, message: sentence,
      details: [{ field: 'output_mime_type', message: 'is not set on the workflow' }],
    }));
    const basic = { ...workflow({}), type: 'basic' as const };
    expect(() => toInstructionSet(basic, {}, 1)).toThrow(expect.objectContaining({ ...refusal, message: sentence }));
  });
});
