import type { MultipartFile } from '@fastify/multipart';
import type { FastifyRequest } from 'fastify';
import type { AssetUpload, IncomingFile } from '#libs/assets/asset-uploads.js';
import { fieldError } from '#libs/errors/errors.js';
import { dropRest, faultOf } from '../assets/upload-request.js';
import { harmlessBody } from '../http/json-body.js';

const LIMITS = { fileSize: Infinity, files: 3, fields: 20, fieldSize: 256 * 1_024, headerPairs: 20 };
const INPUTS = ['input1', 'input2'] as const;
/** Fields that are JSON. */
const STRUCTURED = new Set(['parameters', 'tags', 'webhookEvents']);

export type InputName = (typeof INPUTS)[number];

/** A v1 submission as a form: fields of the JSON body, and images. */
export interface V1Form {
  fields: unknown;
  uploads: Map<InputName, AssetUpload>;
}

/** Reads the form while it arrives, its files to `receive`. Throws `VALIDATION_ERROR`; what was received is then closed. */
export async function readV1Form(
  request: FastifyRequest,
  receive: (file: IncomingFile) => Promise<AssetUpload>,
): Promise<V1Form> {
  const fields = new Map<string, unknown>();
  const uploads = new Map<InputName, AssetUpload>();
  try {
    for await (const part of request.parts({ limits: LIMITS })) {
      const name = part.fieldname;
      if (fields.has(name) || uploads.has(name as InputName)) throw fieldError(name, 'is given twice');
      if (part.type === 'field') fields.set(name, valueOf(name, part.value));
      else if (!isInput(name)) throw fieldError(name, 'is not a known file');
      else await takeFile(name, part, uploads, receive);
    }
    return { fields: harmlessBody(Object.fromEntries(fields)), uploads };
  } catch (error) {
    for (const upload of uploads.values()) await upload.close();
    dropRest(request.raw);
    throw faultOf(error);
  }
}

const isInput = (name: string): name is InputName => INPUTS.some((input) => input === name);

/** A part without name and bytes is what a browser sends of a file input that nobody used. */
async function takeFile(
  input: InputName,
  { filename = '', mimetype, file }: MultipartFile,
  uploads: V1Form['uploads'],
  receive: (file: IncomingFile) => Promise<AssetUpload>,
): Promise<void> {
  const upload = await receive({ name: filename, mimeType: mimetype, bytes: file });
  if (filename === '' && file.bytesRead === 0) await upload.close();
  else uploads.set(input, upload);
}

/** A part that says it is JSON has been parsed already. */
function valueOf(name: string, value: unknown): unknown {
  if (!STRUCTURED.has(name) || typeof value !== 'string') return value;
  try {
    return JSON.parse(value);
  } catch {
    throw fieldError(name, 'must be JSON');
  }
}
