import { createHash } from 'node:crypto';
import {
  BlobServiceClient, newPipeline, StorageSharedKeyCredential, type ContainerClient, type IHttpClient,
  type RequestPolicyFactory,
} from '@azure/storage-blob';
import type { CloudRequests } from './cloud-requests.js';

export interface AzureSettings {
  container: string;
  /** Where the account is and how one gets in, as Azure's portal shows it: by key or by a shared access signature. */
  connectionString?: string;
  /** Else: Azure's own servers. */
  account?: { name: string; key: string };
}

/**
 * A client for Azure's Blob Storage. What it sends goes by way of `requests`, whose limits and retries count
 * instead of its own: those wait for a server that hangs, and take no 429 for an answer.
 */
export function createContainerClient(settings: AzureSettings, requests: CloudRequests): ContainerClient {
  const { url, credential } = serviceOf(settings);
  const pipeline = newPipeline(credential, { httpClient: by(requests), retryOptions: { maxTries: 1 } });
  pipeline.factories.push(digests);
  return new BlobServiceClient(url, pipeline).getContainerClient(settings.container);
}

function serviceOf({ connectionString, account }: AzureSettings): BlobServiceClient {
  if (connectionString) return BlobServiceClient.fromConnectionString(connectionString);
  if (!account) throw new Error('AZURE_STORAGE_CONNECTION_STRING or AZURE_STORAGE_ACCOUNT must be set');
  const credential = new StorageSharedKeyCredential(account.name, account.key);
  return new BlobServiceClient(`https://${account.name}.blob.core.windows.net`, credential);
}

/** Bodies carry their digest, which the server checks. */
const digests: RequestPolicyFactory = {
  create: (next) => ({
    sendRequest: (request) => {
      const { body, headers } = request;
      if (isBytes(body)) headers.set('content-md5', createHash('md5').update(body).digest('base64'));
      return next.sendRequest(request);
    },
  }),
};

const by = (requests: CloudRequests): IHttpClient => ({
  async sendRequest(request) {
    const { method, url, body, streamResponseStatusCodes: streamed } = request;
    const answer = await requests.send({
      method,
      url,
      headers: request.headers.toJson(),
      body: isBytes(body) ? body : null,
      signal: request.abortSignal as AbortSignal | undefined,
      isStreamed: (status) => streamed?.has(status) || streamed?.has(Infinity) || false,
    });
    const headers = request.headers.clone();
    for (const name of headers.headerNames()) headers.remove(name);
    for (const [name, value] of Object.entries(answer.headers)) headers.set(name, String(value));
    return { request, status: answer.status, headers, bodyAsText: answer.text, readableStreamBody: answer.stream };
  },
});

const isBytes = (body: unknown): body is string | Uint8Array => typeof body === 'string' || body instanceof Uint8Array;
