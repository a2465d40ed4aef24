import { extname } from 'node:path';
import type { ComfyOrder } from '#libs/comfyui/comfy-order.js';
import type { ComfyServer, InputFile } from '#libs/comfyui/comfy-server.js';
import type { Graph } from '#libs/comfyui/graph.js';
import { fieldBehind, type PlacedFile } from '#libs/comfyui/input-mapping.js';
import { OutboundError } from '#libs/outbound/outbound-error.js';
import type { RemoteImages } from '#libs/outbound/remote-images.js';
import { AssetHandle, inputFault, NodeError, type FetchedFile, type NodeContext } from '../node.js';

/** Of one input, which is in memory on its way to the server. */
const MAX_INPUT_BYTES = 64 * 1024 ** 2;

export interface UploadedGraph {
  graph: Graph;
  /** What other hosts gave. */
  fetched: FetchedFile[];
}

/** Brings an order's files to a server; the graph then names them. The same bytes are there once, however often. */
export async function upload(
  server: ComfyServer,
  context: NodeContext<ComfyOrder>,
  images: RemoteImages,
): Promise<UploadedGraph> {
  const graph = structuredClone(context.payload.graph);
  const fetched: FetchedFile[] = [];
  for (const placed of context.payload.files) {
    const { nodeId, input, file } = placed;
    const source = file instanceof AssetHandle ? await own(file, context) : await remote(placed, file, context, images);
    if (typeof file === 'string') fetched.push({ url: file, sha256: source.sha256 });
    const node = graph[nodeId];
    if (node) node.inputs[input] = await server.upload(source);
  }
  return { graph, fetched };
}

type Source = InputFile & { sha256: string };

async function own(handle: AssetHandle, { assets, signal }: NodeContext<ComfyOrder>): Promise<Source> {
  const { sha256, mimeType, name, size } = handle;
  if (size > MAX_INPUT_BYTES) throw inputFault('INPUT_TOO_LARGE', `${name} is larger than the 64 MiB that an input may have`);
  const bytes = await assets.read(handle, signal);
  return { sha256, bytes, mimeType, name: sha256 + extname(name) };
}

async function remote(
  { nodeId, input }: PlacedFile,
  url: string,
  { payload, signal }: NodeContext<ComfyOrder>,
  images: RemoteImages,
): Promise<Source> {
  const { bytes, sha256, mimeType } = await images.load(url, signal).catch((error: unknown) => {
    if (!(error instanceof OutboundError)) throw error;
    const field = fieldBehind(payload.inputs, nodeId, input) ?? input;
    const fault = { field, message: error.message };
    throw new NodeError('IMAGE_NOT_LOADED', `${field}: ${error.message}`, error.permanent, undefined, [fault]);
  });
  return { sha256, bytes, mimeType, name: `${sha256}.${mimeType.replace('image/', '')}` };
}
