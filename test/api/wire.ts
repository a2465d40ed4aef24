import { Ajv2020 } from 'ajv/dist/2020.js';
import formats from 'ajv-formats';
import { faultsIn } from './envelope.js';

// What clients outside rely on, by hand: so that no class of ours can change it along with itself.

const TEXT = { type: 'string' };
const UUID = { type: 'string', format: 'uuid' };
/** Of a `bigint` column. */
const DECIMAL = { type: 'string', pattern: '^[1-9]\\d*$' };
const NUMBER = { type: 'number' };
const INTEGER = { type: 'integer' };
const FLAG = { type: 'boolean' };
const PERCENT = { type: 'number', minimum: 0, maximum: 100 };
/** ISO 8601, UTC, with milliseconds. */
const TIME = { type: 'string', pattern: '^\\d{4}-\\d{2}-\\d{2}T\\d{2}:\\d{2}:\\d{2}\\.\\d{3}Z$' };
const URL = { type: 'string', pattern: '^(https?://|/)' };
const HASH = { type: 'string', pattern: '^(oo[1-9A-HJ-NP-Za-km-z]{49}|0x[0-9a-f]{64})$' };
const ANY = {};

type Schema = Record<string, unknown>;

const nullable = (schema: Schema): Schema => ({ anyOf: [schema, { type: 'null' }] });
const list = (items: Schema): Schema => ({ type: 'array', items });
const oneOf = (...values: unknown[]): Schema => ({ enum: values });
/** All fields are there; others may be added, and `optional` ones are of their type where they are. */
const object = (fields: Record<string, Schema>, optional: Record<string, Schema> = {}): Schema => ({
  type: 'object', required: Object.keys(fields), properties: { ...fields, ...optional },
});

const ERROR = object({ code: { type: 'string', pattern: '^[A-Z0-9_]+$' }, message: TEXT });
const JOB_STATUS = oneOf('pending', 'processing', 'completed', 'failed', 'cancelled');
const GENERATION_STATUS = oneOf('pending', 'processing', 'waiting', 'completed', 'failed', 'cancelled');
const TRAIT = object({ trait_type: TEXT, value: { type: ['string', 'number', 'boolean'] } });

const ASSET_FIELDS = {
  id: DECIMAL, url: URL, thumbnail_url: nullable(URL), name: TEXT, mime_type: TEXT, size: INTEGER,
  sha256: { type: 'string', pattern: '^[0-9a-f]{64}$' }, width: nullable(INTEGER), height: nullable(INTEGER),
  duration: nullable(NUMBER), step_id: nullable(TEXT),
};
const ASSET = object(ASSET_FIELDS);

const STEP = object(
  {
    step_id: TEXT, alias: nullable(TEXT), node: TEXT, status: TEXT, attempt: { type: 'integer', minimum: 1 },
    progress: PERCENT,
    started_at: TIME, completed_at: nullable(TIME), logs: list(TEXT), error: nullable(ERROR),
  },
  { output: ANY, output_truncated: FLAG },
);

const GENERATION = object({
  id: UUID, index: INTEGER, hash: HASH, status: GENERATION_STATUS, progress: PERCENT,
  error: nullable(object({ code: TEXT, message: TEXT, step_id: nullable(TEXT) })),
  traits: list(TRAIT), steps: list(STEP), assets: list(ASSET),
});

const SUMMARY_FIELDS = {
  id: UUID, name: TEXT, description: nullable(TEXT),
  job_type: oneOf('collection_auto_generation', 'collection_generation', 'workflow_test', 'asset_rerender', 'image_generation'),
  status: JOB_STATUS, priority: { type: 'integer', minimum: 1, maximum: 100 }, progress: PERCENT,
  collection_id: nullable(UUID), workflow_id: nullable(UUID), workflow_version: nullable(INTEGER),
  tags: list(TEXT),
  external_id: nullable(TEXT), queue_position: nullable(INTEGER), paused: FLAG, estimated_completion: nullable(TIME),
  cost: object({ total: NUMBER, held: NUMBER, captured: NUMBER, released: NUMBER }), error: nullable(ERROR),
  created_at: TIME, started_at: nullable(TIME), completed_at: nullable(TIME),
  urls: object({ job_status_url: URL, job_events_url: URL, collection_url: nullable(URL) }),
};

const COLLECTION_FIELDS = {
  id: UUID, title: nullable(TEXT), description: nullable(TEXT), status: oneOf('draft', 'published'),
  project_id: UUID,
  images: list(URL), preview_images: list(URL), cover_image_url: nullable(URL), editions: nullable(INTEGER), price: nullable(NUMBER),
  blockchain: nullable(oneOf('ETHEREUM', 'BASE', 'TEZOS')), publish_date: nullable(TIME), archived: FLAG,
  batch_mint_enabled: FLAG, batch_max_tokens: nullable(INTEGER), encryption_enabled: FLAG, is_current: FLAG,
  currency: nullable(TEXT), remixable: FLAG, created_at: TIME, updated_at: TIME,
  urls: object({ collection_url: URL }),
};

/** What a collection is made of. Ids of its steps are component ids, numbers. */
const DATA = object({
  version: { const: 'v2' },
  steps: list(object({ id: INTEGER, nodeName: TEXT, nodePayload: { type: 'object' } },
    { fromId: ANY, alias: nullable(TEXT) })),
  generations: object({ hashes: list(HASH), generations: INTEGER, use_custom_hashes: FLAG }),
  variables: ANY,
});

const COST_BREAKDOWN = object({ total_credits: NUMBER, per_generation: NUMBER, workflow_base_cost: NUMBER });

const WIRE = {
  Job: object({ ...SUMMARY_FIELDS, generations: list(GENERATION) }),
  JobSummary: object(SUMMARY_FIELDS),
  Generation: GENERATION,
  Event: object(
    { seq: { type: 'integer', minimum: 1 }, type: TEXT, job_id: UUID, at: TIME },
    {
      status: TEXT, output: ANY, generation_id: UUID, generation_index: INTEGER, hash: HASH, step_id: TEXT,
      node: TEXT, alias: TEXT,
      progress: PERCENT, message: TEXT, asset: ASSET, error: ERROR, attempt: INTEGER, retry_at: TIME,
    },
  ),
  Collection: object({ ...COLLECTION_FIELDS, data: DATA }),
  PublicCollection: object(
    { ...COLLECTION_FIELDS, assets: list(ASSET), traits: list(TRAIT), generations: INTEGER },
    { data: DATA },
  ),
  Submission: object({
    collection_id: UUID, job_id: UUID, project_id: UUID, status: JOB_STATUS, estimated_duration: NUMBER,
    cost_breakdown: COST_BREAKDOWN,
    urls: object({ collection_url: URL, job_status_url: URL, job_events_url: URL }),
  }),
  Workflow: object({
    id: UUID, name: TEXT, label: nullable(TEXT), description: nullable(TEXT), type: TEXT,
    output_mime_type: nullable(TEXT),
    visibility: oneOf('private', 'public'), tags: list(TEXT), version: INTEGER, data: { type: 'object' },
    form_schema: { type: 'object' },
    price: object({ base: NUMBER, per_generation: object({ min: NUMBER, max: NUMBER }) }),
    estimated_duration: NUMBER, created_at: TIME, updated_at: TIME,
  }),
  Estimate: object({ cost_breakdown: COST_BREAKDOWN, estimated_duration: NUMBER }),
  Credits: object({
    balance: NUMBER, held: NUMBER, available: NUMBER, plan: TEXT,
    usage: object({ generations_this_month: INTEGER, monthly_limit: INTEGER, resets_at: TIME }),
  }),
  LedgerEntry: object({
    id: DECIMAL, type: oneOf('grant', 'hold', 'capture', 'release', 'refund', 'adjust'), amount: NUMBER,
    balance_after: NUMBER,
    held_after: NUMBER, job_id: nullable(UUID), generation_id: nullable(UUID), description: nullable(TEXT),
    created_at: TIME,
  }),
  Project: object({ id: UUID, name: TEXT, is_default: FLAG, version: TEXT, created_at: TIME }),
  Asset: ASSET,
  AssetAlone: object({
    ...ASSET_FIELDS, gen_in_data: nullable({ type: 'object' }), gen_out_data: nullable({ type: 'object' }),
    job_id: nullable(UUID), generation_id: nullable(UUID),
  }),
  List: object({ items: { type: 'array' }, next_cursor: nullable(TEXT) }),
};

export type WireName = keyof typeof WIRE;

const ajv = new Ajv2020({ allErrors: true, allowUnionTypes: true });
formats.default(ajv);

export function expectWire(name: WireName, value: unknown): void {
  const validate = ajv.compile(WIRE[name]);
  expect({ name, faults: validate(value) ? [] : faultsIn(validate) }).toEqual({ name, faults: [] });
}
