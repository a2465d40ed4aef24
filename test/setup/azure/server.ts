import { createHash } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { buffer } from 'node:stream/consumers';
import { AzureStorage } from '#libs/storage/azure.storage.js';
import type { TimeLimits } from '#libs/storage/time-limits.js';
import { CloudFault, give, KeptObjects, listen } from '../kept-objects.js';
import { ACCOUNT, faultOfAccess, KEY } from './shared-key.js';

const CONTAINER = 'platen';
/** What a put says of its object, and what a signed URL says instead. */
const KEPT_HEADERS = [
  ['x-ms-blob-content-type', 'content-type', 'rsct'],
  ['x-ms-blob-cache-control', 'cache-control', 'rscc'],
  ['x-ms-blob-content-disposition', 'content-disposition', 'rscd'],
] as const;

type Blocks = Map<string, Map<string, Buffer>>;

export interface AzureServer {
  url: string;
  objects: KeptObjects;
  /** Blocks by the key of their blob: those of none yet, and those that it consists of. */
  blocks: { staged: Blocks; committed: Blocks };
  variables: Record<string, string>;
  storage(settings?: { endpoint?: string; timeLimits?: Partial<TimeLimits> }): AzureStorage;
  close(): Promise<void>;
}

/**
 * The part of Azure's Blob Storage that the driver speaks, on loopback and in memory, after its documentation
 * (learn.microsoft.com/rest/api/storageservices/blob-service-rest-api) and Azurite's answers: signatures, their
 * expiry and the digests of bodies are checked; a list of blocks makes a blob, and what it does not name is gone.
 */
export async function startAzureServer(): Promise<AzureServer> {
  const container = { objects: new KeptObjects(), blocks: { staged: new Map(), committed: new Map() } };
  const { url, close } = await listen((request, response) => serve({ ...container, request, response }), refuse);
  const connection = (endpoint: string) =>
    `DefaultEndpointsProtocol=http;AccountName=${ACCOUNT};AccountKey=${KEY};BlobEndpoint=${endpoint}/${ACCOUNT};`;
  return {
    url, close, ...container,
    variables: {
      STORAGE_DRIVER: 'azure', STORAGE_BUCKET: CONTAINER, AZURE_STORAGE_CONNECTION_STRING: connection(url),
    },
    storage: ({ endpoint = url, timeLimits } = {}) =>
      new AzureStorage({ container: CONTAINER, connectionString: connection(endpoint), timeLimits }),
  };
}

interface Exchange extends Pick<AzureServer, 'objects' | 'blocks'> {
  request: IncomingMessage;
  response: ServerResponse;
}

interface Call extends Exchange {
  key: string;
  query: URLSearchParams;
}

/** What the driver uses of Azure; the rest is not there. */
const CALLS: Record<string, (call: Call) => Promise<unknown>> = {
  'GET container': async ({ response }) => response.end(),
  'GET container list': async ({ objects, query, response }) =>
    response.setHeader('content-type', 'application/xml').end(listing(objects, query)),
  'PUT blob': async (call) => {
    const bytes = await bodyOf(call.request);
    own(call, new Map());
    created(call, bytes);
  },
  'PUT blob block': async ({ blocks: { staged }, key, query, request, response }) => {
    const bytes = await bodyOf(request);
    const others = staged.get(key) ?? new Map<string, Buffer>();
    staged.set(key, others.set(query.get('blockid') ?? '', bytes));
    response.writeHead(201).end();
  },
  'PUT blob blocklist': async (call) => {
    const { blocks: { staged, committed }, key, request } = call;
    const named = [...String(await bodyOf(request)).matchAll(/<Latest>(.*?)<\/Latest>/g)].map(([, id = '']) => id);
    const chosen = new Map<string, Buffer>();
    for (const id of named) {
      const block = staged.get(key)?.get(id) ?? committed.get(key)?.get(id);
      if (!block) throw new CloudFault(400, 'InvalidBlockList');
      chosen.set(id, block);
    }
    own(call, chosen);
    created(call, Buffer.concat([...chosen.values()]));
  },
  'GET blob': read,
  'HEAD blob': read,
  'DELETE blob': async ({ objects, key, response }) => {
    if (!objects.delete(key)) throw new CloudFault(404, 'BlobNotFound');
    response.writeHead(202).end();
  },
};

async function serve(exchange: Exchange): Promise<void> {
  const { request } = exchange;
  const fault = faultOfAccess(request);
  if (fault) throw new CloudFault(403, fault);
  const { pathname, searchParams: query } = new URL(request.url ?? '', 'http://azure');
  const [, account, container, ...segments] = decodeURIComponent(pathname).split('/');
  if (account !== ACCOUNT || container !== CONTAINER) throw new CloudFault(404, 'ContainerNotFound');
  const key = segments.join('/');
  const what = [request.method, key === '' ? 'container' : 'blob', query.get('comp')].filter(Boolean).join(' ');
  const call = CALLS[what];
  if (!call) throw new CloudFault(501, 'NotImplemented');
  await call({ ...exchange, key, query });
}

/** Fails when the body breaks off, or is another one than was sent. */
async function bodyOf(request: IncomingMessage): Promise<Buffer> {
  const bytes = await buffer(request);
  const digest = createHash('md5').update(bytes).digest('base64');
  if (bytes.length > 0 && request.headers['content-md5'] !== digest) throw new CloudFault(400, 'Md5Mismatch');
  return bytes;
}

/** From now on the blob has these blocks, and nobody else's wait any more to be its own. */
function own({ blocks: { staged, committed }, key }: Call, blocks: Map<string, Buffer>): void {
  staged.delete(key);
  committed.set(key, blocks);
}

function created({ objects, key, request, response }: Call, bytes: Buffer): void {
  const headers = KEPT_HEADERS.flatMap(([sent, name]) => {
    const value = request.headers[sent];
    return value ? [[name, String(value)]] : [];
  });
  const { version, modifiedAt } = objects.keep(key, bytes, Object.fromEntries(headers));
  response.writeHead(201, { etag: `"0x${version}"`, 'last-modified': modifiedAt.toUTCString() }).end();
}

async function read({ objects, key, query, request, response }: Call): Promise<void> {
  const object = objects.get(key);
  if (!object) throw new CloudFault(404, 'BlobNotFound');
  const etag = `"0x${object.version}"`;
  const wanted = request.headers['if-match'];
  if (wanted && wanted !== etag) throw new CloudFault(412, 'ConditionNotMet');
  for (const [, name, parameter] of KEPT_HEADERS) {
    const value = query.get(parameter);
    if (value !== null) response.setHeader(name, value);
  }
  response.setHeader('etag', etag).setHeader('last-modified', object.modifiedAt.toUTCString());
  response.setHeader('x-ms-blob-type', 'BlockBlob');
  const { range, 'x-ms-range': wantedRange = range } = request.headers;
  give(object, request, response, wantedRange && String(wantedRange));
}

function listing(objects: KeptObjects, query: URLSearchParams): string {
  const from = query.get('marker') || query.get('startFrom') || '';
  const limit = Number(query.get('maxresults') ?? 5_000);
  const page = objects.page(query.get('prefix') ?? '', from, limit + 1);
  const blobs = page.slice(0, limit).map(
    ([key, { bytes, modifiedAt, version }]) =>
      `<Blob><Name>${key}</Name><Properties><Last-Modified>${modifiedAt.toUTCString()}</Last-Modified>` +
      `<Etag>0x${version}</Etag><Content-Length>${bytes.length}</Content-Length><BlobType>BlockBlob</BlobType>` +
      '</Properties></Blob>',
  );
  const marker = page[limit]?.[0] ?? '';
  return '<?xml version="1.0" encoding="utf-8"?>' +
    `<EnumerationResults ServiceEndpoint="http://azure/" ContainerName="${CONTAINER}">` +
    `<Blobs>${blobs.join('')}</Blobs><NextMarker>${marker}</NextMarker></EnumerationResults>`;
}

function refuse({ status, code }: CloudFault, response: ServerResponse, request: IncomingMessage): void {
  const body = `<?xml version="1.0" encoding="utf-8"?><Error><Code>${code}</Code><Message>${code}</Message></Error>`;
  response.writeHead(status, { 'content-type': 'application/xml', 'x-ms-error-code': code });
  response.end(request.method === 'HEAD' ? undefined : body);
}
