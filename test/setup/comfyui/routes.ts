import { randomUUID } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import type { HistoryEntry, QueuedPrompt } from './executor.js';
import type { Graph } from './node-classes.js';
import { checkPrompt } from './prompt-check.js';
import type { ComfyStandIn } from './stand-in.js';

export interface Answer {
  status: number;
  headers?: Record<string, string>;
  body?: string | Buffer;
}

const UUID = /^[\da-f]{8}-([\da-f]{4}-){3}[\da-f]{12}$/;
const TROUBLE: Answer = {
  status: 500,
  headers: { 'Content-Type': 'text/plain; charset=utf-8', Connection: 'close' },
  body: '500 Internal Server Error\n\nServer got itself in trouble',
};
const EMPTY: Answer = { status: 200 };
const NOT_FOUND: Answer = { status: 404, headers: { 'Content-Type': 'application/octet-stream' } };

const json = (body: unknown, status = 200): Answer => ({
  status, headers: { 'Content-Type': 'application/json; charset=utf-8' }, body: JSON.stringify(body),
});

/** What a server says to one request. Every route is also below `/api`; the jobs are only there. */
export async function answer(server: ComfyStandIn, request: IncomingMessage, url: URL, body: Buffer): Promise<Answer> {
  const path = url.pathname.replace(/^\/api\/(?!jobs)/, '/');
  const [, first = '', rest = ''] = /^\/([^/]*)\/?(.*)$/.exec(path) ?? [];
  if (request.method === 'GET') return READS[first]?.(server, decodeURIComponent(rest), url) ?? NOT_FOUND;
  if (request.method !== 'POST') return { status: 405 };
  if (path === '/upload/image') return upload(server, request, body);
  const cancelled = /^\/api\/jobs\/([^/]+)\/cancel$/.exec(path)?.[1];
  if (cancelled) return server.version === '0.3.64' ? { status: 405 } : cancel(server, cancelled);
  return post(server, path, body);
}

/** What is read, by the first part of its path; `rest` is what follows. */
const READS: Record<string, (server: ComfyStandIn, rest: string, url: URL) => Answer> = {
  system_stats: ({ version }) => json({ system: { os: 'linux', comfyui_version: version }, devices: [] }),
  features: () => json({ supports_preview_metadata: true, max_upload_size: 104_857_600 }),
  prompt: ({ executor }) => json({ exec_info: { queue_remaining: executor.remaining } }),
  queue: ({ executor: { running, pending } }) =>
    json({ queue_running: running ? [tuple(running)] : [], queue_pending: pending.map(tuple) }),
  history: ({ executor }, rest) =>
    json(Object.fromEntries([...executor.history].filter(([id]) => rest === '' || id === rest))),
  object_info: (server, rest) => json(objectInfo(server, rest)),
  models: ({ models }, rest) => {
    if (rest === '') return json(Object.keys(models));
    return models[rest] ? json(models[rest]) : { status: 404 };
  },
  view: (server, _rest, url) => view(server, url),
  api: (server, rest) => (server.version === '0.3.64' ? NOT_FOUND : jobs(server, rest)),
};

function objectInfo({ classes }: ComfyStandIn, name: string): object {
  const known = Object.entries(classes).filter(([key]) => name === '' || key === name);
  return Object.fromEntries(
    known.map(([key, { required, isOutput = false }]) => [key, { input: { required }, output_node: isOutput, name: key }]),
  );
}

function view({ files }: ComfyStandIn, { searchParams }: URL): Answer {
  const [filename, subfolder] = [searchParams.get('filename'), searchParams.get('subfolder') ?? ''];
  if (!filename) return { status: 404 };
  if (filename.includes('..') || filename.startsWith('/')) return { status: 400 };
  if (subfolder.includes('..')) return { status: 403 };
  const bytes = files.find({ filename, subfolder, type: searchParams.get('type') ?? 'output' });
  if (!bytes) return { status: 404 };
  return { status: 200, headers: { 'Content-Type': 'image/png', 'Content-Length': String(bytes.length) }, body: bytes };
}

function post(server: ComfyStandIn, path: string, bytes: Buffer): Answer {
  const { executor } = server;
  let body: Record<string, unknown>;
  try {
    body = bytes.length === 0 ? {} : (JSON.parse(String(bytes)) as typeof body);
  } catch {
    return TROUBLE;
  }
  if (path === '/prompt') return server.oddAnswers.shift() ?? submit(server, body);
  if (path === '/queue') {
    executor.delete(body['clear'] ? executor.pending.map(({ id }) => id) : ((body['delete'] as string[]) ?? []));
    return EMPTY;
  }
  if (path === '/interrupt') {
    executor.interrupt(body['prompt_id'] as string | undefined);
    return EMPTY;
  }
  return { status: 405 };
}

function submit(server: ComfyStandIn, body: Record<string, unknown>): Answer {
  const { executor, classes, files, version } = server;
  const { prompt, client_id, prompt_id: id = randomUUID(), front = false } = body;
  if (prompt === undefined) return json(NO_PROMPT, 400);
  if (Array.isArray(prompt)) return TROUBLE;
  if (version !== '0.3.64' && !UUID.test(String(id))) {
    return json({ error: { type: 'invalid_prompt_id', message: 'prompt_id must be a UUID', details: '', extra_info: {} }, node_errors: {} }, 400);
  }
  const checked = checkPrompt(prompt as Graph, classes, files, version);
  if ('error' in checked) return json(checked, 400);
  const number = server.counter++ * (front ? -1 : 1);
  const extra = client_id === undefined ? {} : { client_id: client_id as string };
  executor.put({ number, id: String(id), graph: prompt as Graph, extra, outputs: checked.outputs });
  return json({ prompt_id: id, number, node_errors: checked.node_errors });
}

const NO_PROMPT = {
  error: { type: 'no_prompt', message: 'No prompt provided', details: 'No prompt provided', extra_info: {} },
  node_errors: {},
};

async function upload({ files }: ComfyStandIn, { headers }: IncomingMessage, body: Buffer): Promise<Answer> {
  const form = await new Response(new Uint8Array(body), { headers: { 'content-type': headers['content-type'] ?? '' } }).formData();
  const image = form.get('image');
  if (!(image instanceof Blob)) return { status: 400 };
  const [type, subfolder] = [String(form.get('type') ?? 'input'), String(form.get('subfolder') ?? '')];
  if (!['input', 'output', 'temp'].includes(type)) return TROUBLE;
  if (subfolder.includes('..')) return { status: 400 };
  return json(files.upload(type, subfolder, (image as File).name, Buffer.from(await image.arrayBuffer())));
}

function jobs({ executor }: ComfyStandIn, path: string): Answer {
  const id = path.split('/')[1];
  if (id === undefined) return json({ jobs: [], pagination: { offset: 0, limit: null, total: 0, has_more: false } });
  if (executor.running?.id === id) return json({ id, status: 'in_progress', outputs_count: 0 });
  if (executor.pending.some((prompt) => prompt.id === id)) return json({ id, status: 'pending', outputs_count: 0 });
  const entry = executor.history.get(id);
  return entry ? json(finishedJob(id, entry)) : json({ error: 'Job not found' }, 404);
}

function finishedJob(id: string, { outputs, status }: HistoryEntry): object {
  const interrupted = status.messages.some(([type]) => type === 'execution_interrupted');
  const broken = interrupted ? 'cancelled' : 'failed';
  const state = status.status_str === 'success' ? 'completed' : broken;
  return { id, status: state, outputs, execution_status: status, outputs_count: Object.keys(outputs).length };
}

function cancel({ executor }: ComfyStandIn, id: string): Answer {
  const isPending = executor.pending.some((prompt) => prompt.id === id);
  const isRunning = executor.running?.id === id;
  executor.delete([id]);
  if (isRunning) executor.interrupt(id);
  return json({ cancelled: isPending || isRunning });
}

const tuple = ({ number, id, graph, extra, outputs }: QueuedPrompt) => [number, id, graph, extra, outputs];
