import { Ajv2020, type ValidateFunction } from 'ajv/dist/2020.js';
import { faultsIn } from '../api/envelope.js';

/**
 * Validators of metadata, written from the text of the standards, not from what we make: ERC-721 ("ERC721 Metadata
 * JSON Schema") with OpenSea's metadata standards, ERC-1155 ("URI Metadata JSON Schema"), ERC-7572, TZIP-21.
 */
const ajv = new Ajv2020({ strict: false, allErrors: true, allowUnionTypes: true });

/** RFC 3986: it begins with a scheme, and has no blanks. */
const URI = { type: 'string', pattern: '^[a-z][a-z0-9+.-]*:[^\\s"<>\\\\^`{|}]+$' };
const INTEGER = { type: 'integer', minimum: 0 };

const numeric = {
  properties: {
    display_type: { enum: ['number', 'boost_number', 'boost_percentage', 'date'] },
    value: { type: 'number' },
    max_value: { type: 'number' },
  },
  required: ['display_type'],
};
/** Text stands without a display type; a number has one of those that OpenSea knows. */
const attribute = {
  type: 'object',
  required: ['trait_type', 'value'],
  properties: { trait_type: { type: 'string' }, value: {}, display_type: {}, max_value: {} },
  additionalProperties: false,
  oneOf: [{ properties: { value: { type: 'string' }, display_type: false } }, numeric],
};

const erc721 = ajv.compile({
  type: 'object',
  required: ['name', 'description', 'image'],
  properties: {
    name: { type: 'string', minLength: 1 },
    description: { type: 'string' },
    image: URI,
    external_url: URI,
    image_data: { type: 'string' },
    animation_url: URI,
    youtube_url: URI,
    background_color: { type: 'string', pattern: '^[0-9A-Fa-f]{6}$' },
    attributes: { type: 'array', items: attribute },
  },
  additionalProperties: false,
});

const erc7572 = ajv.compile({
  type: 'object',
  required: ['name'],
  properties: {
    name: { type: 'string', minLength: 1 },
    symbol: { type: 'string' },
    description: { type: 'string' },
    image: URI,
    banner_image: URI,
    featured_image: URI,
    external_link: URI,
    collaborators: { type: 'array', items: { type: 'string', pattern: '^0x[0-9a-fA-F]{40}$' } },
  },
  additionalProperties: false,
});

const format = {
  type: 'object',
  required: ['uri', 'mimeType'],
  properties: {
    uri: URI,
    hash: { type: 'string' },
    mimeType: { type: 'string', pattern: '^[\\w.+-]+/[\\w.+-]+$' },
    fileSize: INTEGER,
    fileName: { type: 'string' },
    duration: { type: 'string' },
    dimensions: {
      type: 'object',
      required: ['value', 'unit'],
      properties: { value: { type: 'string', pattern: '^\\d+x\\d+$' }, unit: { const: 'px' } },
      additionalProperties: false,
    },
    dataRate: { type: 'object' },
  },
  additionalProperties: false,
};

const tzip21 = ajv.compile({
  type: 'object',
  required: ['name', 'decimals', 'artifactUri', 'displayUri', 'thumbnailUri'],
  properties: {
    name: { type: 'string', minLength: 1 },
    symbol: { type: 'string' },
    description: { type: 'string' },
    decimals: { const: 0 },
    isBooleanAmount: { const: true },
    artifactUri: URI,
    displayUri: URI,
    thumbnailUri: URI,
    creators: { type: 'array', items: { type: 'string' }, uniqueItems: true },
    formats: { type: 'array', items: format, uniqueItems: true },
    attributes: {
      type: 'array',
      items: {
        type: 'object',
        required: ['name', 'value'],
        properties: { name: { type: 'string' }, value: { type: 'string' }, type: { type: 'string' } },
        additionalProperties: false,
      },
    },
    royalties: { type: 'object' },
    rights: { type: 'string' },
  },
  additionalProperties: false,
});

const faultsOf = (validate: ValidateFunction) => (value: unknown): string[] =>
  validate(value) ? [] : faultsIn(validate);

export const erc721Faults = faultsOf(erc721);
export const erc7572Faults = faultsOf(erc7572);
export const tzip21Faults = faultsOf(tzip21);

/** ERC-1155: "lowercase alphanumeric … leading zero padded to 64 hex characters", without 0x. */
export const isErc1155FileName = (name: string): boolean => /^[0-9a-f]{64}\.json$/.test(name);
