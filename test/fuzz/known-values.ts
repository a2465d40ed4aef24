import type { Tenant } from '../api/tenant.js';
import type { KnownValues } from './schema-values.js';

const STEPS = [
  { id: 'a', nodeName: 'javascript', alias: 'plan', nodePayload: { code: 'return 1', inputs: { x: '{{word}}', y: [1, { z: 'w' }] } } },
  { id: 'b', nodeName: 'p5', nodePayload: { code: 'x', width: 10, height: { $ref: 'a', path: 'size' }, assets: { 'a.png': 'https://example.com/a.png' } } },
  { id: 'c', nodeName: 'prompt', nodePayload: { template: '{a|2::b} {{word}} {{$ref:a}}' } },
];
const LIST = [
  { name: 'word', type: 'weighted_pick', value_type: 'strings', value: { values: ['a', 'b'], weights: [1, 2], display_names: ['A', 'B'] } },
  { name: 'n', type: 'range', value_type: 'numbers', value: { values: [0, 1, 0.1] }, lock_value: true, test_value: 1 },
];
const FIELDS = [
  { id: 'word', type: 'input', default: 'sand', is_required: true },
  { id: 'size', type: 'slider', default: 3, constraints: { min: 1, max: 10, step: 1 } },
  { id: 'kind', type: 'select', options: [{ value: 'a', label: 'A' }, { value: 1 }] },
];

/** What the schema leaves open or only rows can tell: without it, hardly a request would get far. */
export const knownValues = (tenant: Tenant): KnownValues => ({
  workflow_id: [tenant.workflowId],
  project_id: [tenant.projectId],
  collection_id: [tenant.collectionId],
  asset_id: [tenant.assetId, tenant.upload.id],
  user_id: [tenant.userId],
  variables: [{ word: 'sand' }, {}, { word: 1, size: '3' }, LIST],
  hash: [`oo${'1'.repeat(49)}`],
  type: ['pipeline', 'basic'],
  code: ['function setup() {}'],
  plan: ['free', 'pro'],
  blockchain: ['TEZOS', 'BASE'],
  currency: ['ETH', 'XTZ'],
  data: [
    { steps: STEPS, variables: { word: 'sand' }, generations: { hashes: [], generations: 2 } },
    { steps: STEPS.slice(0, 1), variables: LIST, generations: { hashes: [`oo${'1'.repeat(49)}`], use_custom_hashes: true } },
    { form: { config: { maxNumberOfGenerations: 5 }, fields: FIELDS }, pipeline: { steps: STEPS }, test: { word: 'x' } },
    { form: { fields: FIELDS }, credits: 'function computeCost(c) { return { cost: c.size } }', pipeline: { steps: STEPS.slice(0, 1) } },
  ],
});
