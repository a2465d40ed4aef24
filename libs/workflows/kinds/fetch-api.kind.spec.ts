import type { Database } from '#libs/database/database.js';
import type { JsonObject } from '#libs/instruction-set/instruction-set.js';
import { createNodes } from '#libs/nodes/index.js';
import { NodeRegistry } from '#libs/nodes/registry.js';
import { QuickJsSandbox } from '#libs/sandbox/quickjs/quickjs-sandbox.js';
import { nodeTools } from '../../../test/factories/node-tools.js';
import { StepWorkflows } from '../step-workflows.js';
import { WorkflowCatalog } from '../workflow-catalog.js';
import { WorkflowCheck } from '../workflow-check.js';
import { findWorkflowKind } from './index.js';

const NOBODY = { userId: '00000000-0000-4000-8000-000000000000', role: 'user' as const };
const API = { url: 'https://api.example.com/v1/make', method: 'POST', fetchType: 'response', response: { outputExprJq: '.images[].url' } };
const BODY = { prompt: '', options: { seed: 0, sizes: [1, 2] } };
const POLLING = {
  url: 'https://api.example.com/v1/jobs/{id}', params: { id: { exprJq: '.id' } }, interval: 1_000, stopWhenExpr: 'data.done',
};

describe('a workflow of type fetch_api', () => {
  const sandbox = new QuickJsSandbox();
  const registry = new NodeRegistry(createNodes(nodeTools({ scripts: sandbox })));
  const database = { query: async () => [] } as unknown as Database;
  const check = new WorkflowCheck(registry, sandbox, new StepWorkflows(new WorkflowCatalog(database), registry));
  afterAll(() => sandbox.close());

  const form = { fields: [{ id: 'prompt', required: true }, { id: 'seed', type: 'number' }] };
  const faultsOf = (data: JsonObject) =>
    check.faultsOf({ name: 'fox', type: 'fetch_api', data: { form, api: API, body: BODY, ...data } }, NOBODY);
  const of = async (data: JsonObject) => [...new Set((await faultsOf(data)).map(({ field }) => field))];
  const ofApi = (api: JsonObject, more: JsonObject = {}) => of({ api: { ...API, ...api }, ...more });

  it('has the name of old, too', () => {
    expect(findWorkflowKind('thirdpartyapi')?.name).toBe('fetch_api');
  });

  it('is sound when all of its expressions, places and names are', async () => {
    const inputs: JsonObject[] = [
      { id: 'prompt', pathJq: '.prompt', is_required: true }, { id: 'seed', pathJq: '.options["seed"]', default: 7 },
      { id: 'hash', pathJq: '.options.sizes[-1]' }, { id: 'user_id', pathJq: '.options | .sizes[]' },
    ];
    expect(await faultsOf({ inputs })).toEqual([]);
    expect(await ofApi({ fetchType: 'polling', polling: POLLING, headers: { Authorization: 'Bearer {{KEY}}' } })).toEqual([]);
    expect(await ofApi({ fetchType: 'polling', polling: { ...POLLING, url: '{url}', params: { url: { exprJq: '.urls.get' } } } })).toEqual([]);
    expect(await ofApi({ fetchType: 'wait', wait: { timeout: 600_000 }, successResponseCode: [200, 201] })).toEqual([]);
    expect(await ofApi({ fetchType: 'webhook' }, { inputs: [{ id: 'webhook_url', pathJq: '.prompt' }] })).toEqual([]);
    expect(await of({ api: { url: 'http://example.com' }, body: undefined as never })).toEqual([]);
  });

  it.each<[what: string, input: JsonObject, field: string]>([
    ['a place that is not in the body', { id: 'prompt', pathJq: '.promt' }, 'pathJq'],
    ['a place in a list that ends before', { id: 'prompt', pathJq: '.options.sizes[2]' }, 'pathJq'],
    ['a place in what is no object', { id: 'prompt', pathJq: '.prompt.text' }, 'pathJq'],
    ['no place at all', { id: 'prompt', pathJq: '.options.none[]?' }, 'pathJq'],
    ['what is no path', { id: 'prompt', pathJq: '1 + 1' }, 'pathJq'],
    ['what is no jq', { id: 'prompt', pathJq: '.prompt[' }, 'pathJq'],
    ['what only looks like one', { id: 'prompt', pathJq: '.prompt)] | [(.options' }, 'pathJq'],
    ['a field that the form has not', { id: 'promt', pathJq: '.prompt' }, 'id'],
    ['where the result is sent, though none is', { id: 'webhook_url', pathJq: '.prompt' }, 'id'],
    ['more than it may', { id: 'prompt', pathJq: '.prompt', other: 1 }, 'other'],
  ])('names an input that maps to %s', async (_what, input, field) => {
    expect(await of({ inputs: [{ id: 'seed', pathJq: '.options.seed' }, input] })).toEqual([`data.inputs[1].${field}`]);
  });

  it.each<[what: string, api: JsonObject, field: string]>([
    ['URL', { url: 'api.example.com/x' }, 'url'], ['URL', { url: 'ftp://example.com' }, 'url'],
    ['URL with a password', { url: 'https://u:p@example.com' }, 'url'],
    ['secret in the URL', { url: 'https://example.com/?key={{KEY}}' }, 'url'],
    ['parameter that nothing fills', { url: 'https://example.com/{id}' }, 'url'],
    ['secret for http', { url: 'http://example.com', headers: { a: '{{KEY}}' } }, 'url'],
    ['secret for a host that varies', { fetchType: 'polling', headers: { a: '{{KEY}}' }, polling: { ...POLLING, url: '{id}' } }, 'polling.url'],
    ['secret for a host that an answer names', { fetchType: 'polling', headers: { a: '{{KEY}}' }, polling: { ...POLLING, url: 'https://{id}.example.com' } }, 'polling.url'],
    ['secret for polling over http', { fetchType: 'polling', polling: { ...POLLING, url: 'http://example.com', headers: { a: '{{KEY}}' } } }, 'polling.url'],
    ['name of a secret', { headers: { a: '{{no name}}' } }, 'headers.a'],
    ['header', { headers: { 'a b': 'x' } }, 'headers'], ['header’s value', { headers: { a: 'x\r\nb: y' } }, 'headers.a'],
    ['method', { method: 'CONNECT' }, 'method'], ['method for a body', { method: 'GET' }, 'method'],
    ['status', { successResponseCode: 99 }, 'successResponseCode'], ['status', { successResponseCode: [200, 600] }, 'successResponseCode[1]'],
    ['status', { successResponseCode: [] }, 'successResponseCode'], ['status', { successResponseCode: '200' }, 'successResponseCode'],
    ['fetchType', { fetchType: 'guess' }, 'fetchType'], ['missing polling', { fetchType: 'polling' }, 'polling'],
    ['output expression', { response: { outputExprJq: '.a | nope' } }, 'response.outputExprJq'],
    ['parameter', { fetchType: 'polling', polling: { ...POLLING, params: { id: { exprJq: '.id |' } } } }, 'polling.params.id.exprJq'],
    ['missing parameter', { fetchType: 'polling', polling: { ...POLLING, params: {} } }, 'polling.url'],
    ['stop expression', { fetchType: 'polling', polling: { ...POLLING, stopWhenExpr: 'data.done ===' } }, 'polling.stopWhenExpr'],
    ['continue expression', { fetchType: 'polling', polling: { ...POLLING, continueWhenExpr: 'if (data) 1' } }, 'polling.continueWhenExpr'],
    ['part of another name', { polling: { ...POLLING, every: 5 } }, 'polling.every'],
  ])('names a wrong %s (%#)', async (_what, api, field) => {
    expect(await ofApi(api)).toEqual([`data.api.${field}`]);
  });

  it('names secrets in the body, and a call that is missing', async () => {
    expect(await of({ body: { key: ['{{KEY}}'] } })).toEqual(['data.body']);
    expect(await of({ api: undefined as never })).toEqual(['data.api']);
  });
});
