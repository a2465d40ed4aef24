import { GenerateCollectionBody } from './generate-collection.dto.js';
import { readBody } from '../http/submitted-body.js';

const WORKFLOW = '0190a6a0-0000-7000-8000-000000000001';
const minimal = { title: 'Dunes', workflow_id: WORKFLOW };
const faultsOf = async (body: unknown) => (await readBody(GenerateCollectionBody, body)).faults ?? [];
const fieldsOf = async (body: unknown) => [...new Set((await faultsOf(body)).map(({ field }) => field))].sort();

describe('GenerateCollectionBody', () => {
  it('fills in the defaults of what is left out', async () => {
    expect((await readBody(GenerateCollectionBody, minimal)).body).toMatchObject({
      title: 'Dunes',
      variables: {},
      generations: 1,
      metadata: {},
      options: { workflow_priority: 50, auto_publish: false, generate_preview: true, save_intermediate_outputs: false },
      tags: [],
    });
    const partial = await readBody(GenerateCollectionBody, { ...minimal, options: { auto_publish: true } });
    expect(partial.body?.options).toMatchObject({ workflow_priority: 50, auto_publish: true });
  });

  it('takes everything at its limits', async () => {
    const body = {
      ...minimal,
      title: 'x'.repeat(100),
      description: 'x'.repeat(500),
      variables: Object.fromEntries(Array.from({ length: 200 }, (_, index) => [`v${index}`, index])),
      generations: 10,
      project_id: WORKFLOW,
      metadata: {
        editions: 10_000, price: 0, currency: 'USD', blockchain: 'BASE', publish_date: '2027-01-31T12:00:00+02:00',
        cover_image_url: 'http://localhost/cover.png', batch_mint_enabled: true, batch_max_tokens: 1_000,
        encryption_enabled: false,
      },
      options: { workflow_priority: 100, auto_publish: true, generate_preview: false, save_intermediate_outputs: true },
      tags: Array.from({ length: 10 }, (_, index) => `tag ${index}`),
      external_id: 'order-1',
    };
    expect(await faultsOf(body)).toEqual([]);
  });

  it('names every fault of a body at once, by dotted path', async () => {
    const body = {
      title: '',
      description: 'x'.repeat(501),
      variables: [],
      generations: 11,
      project_id: 'none',
      metadata: {
        editions: 10_001, price: -1, blockchain: 'SOLANA', publish_date: '2027-02-30', cover_image_url: 'ftp://x/y',
        batch_mint_enabled: 'yes', batch_max_tokens: 0, encryption_enabled: 'yes', royalties: 5,
      },
      options: { workflow_priority: 0, auto_publish: 1, generate_preview: 'yes', save_intermediate_outputs: null },
      tags: Array.from({ length: 11 }, () => 'x'),
      external_id: '',
      webhook_url: 'ftp://example.com/hook',
      webhook_events: ['node_progress'],
    };
    expect(await fieldsOf(body)).toEqual(
      [
        'title', 'workflow_id', 'description', 'variables', 'generations', 'project_id', 'metadata.editions',
        'metadata.price', 'metadata.blockchain', 'metadata.publish_date', 'metadata.cover_image_url',
        'metadata.batch_mint_enabled', 'metadata.batch_max_tokens', 'metadata.encryption_enabled',
        'metadata.royalties', 'options.workflow_priority', 'options.auto_publish', 'options.generate_preview',
        'options.save_intermediate_outputs', 'tags', 'external_id', 'webhook_url', 'webhook_events',
      ].sort(),
    );
  });

  it.each([
    ['generations as text', { generations: '3' }, 'generations'],
    ['a fraction of a generation', { generations: 1.5 }, 'generations'],
    ['a list for metadata', { metadata: [] }, 'metadata'],
    ['null for metadata', { metadata: null }, 'metadata'],
    ['null for a number', { generations: null }, 'generations'],
    ['null for variables', { variables: null }, 'variables'],
    ['a week date', { metadata: { publish_date: '2027-W05-1' } }, 'metadata.publish_date'],
    ['a time without offset', { metadata: { publish_date: '2027-01-31T12:00:00' } }, 'metadata.publish_date'],
    ['a number that is not finite', { metadata: { price: Number.POSITIVE_INFINITY } }, 'metadata.price'],
    ['a tag that is too long', { tags: ['x'.repeat(51)] }, 'tags'],
    ['201 variables', { variables: Object.fromEntries(Array.from({ length: 201 }, (_, i) => [i, i])) }, 'variables'],
    ['variables over 256 KiB', { variables: { text: 'é'.repeat(131_072) } }, 'variables'],
  ])('refuses %s', async (_case, differs, field) => {
    expect(await fieldsOf({ ...minimal, ...differs })).toEqual([field]);
  });

  it('hands variables on as they came, whatever their names', async () => {
    const variables = { constructor: 'x', toString: 1, list: [{ deep: { null: null } }] };
    const { body } = await readBody(GenerateCollectionBody, { ...minimal, variables });
    expect(body?.variables).toBe(variables);
  });

  it('says that a body which is no object is none', async () => {
    expect(await fieldsOf([])).toEqual(['body']);
    expect(await fieldsOf(undefined)).toEqual(['title', 'workflow_id']);
  });
});
