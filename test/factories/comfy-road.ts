import { ComfyServers } from '#libs/comfyui/comfy-servers.js';
import type { Graph } from '#libs/comfyui/graph.js';
import { comfyWorkflowNode } from '#libs/nodes/comfy-workflow.node.js';
import type { NodeDefinition } from '#libs/nodes/node.js';
import type { RemoteImages } from '#libs/outbound/remote-images.js';
import { png } from '../setup/comfyui/node-classes.js';
import { ComfyStandIn } from '../setup/comfyui/stand-in.js';
import { eventually } from '../setup/eventually.js';
import { stepRuns } from './reads.js';
import { buildRoad, type Road } from './road.js';

const POOL = { asideMs: 300, answerMs: 1_000, sockets: { pingMs: 10_000, idleMs: 60_000 } };
const PATIENCE = { silenceMs: 400, placeMs: 60_000 };
const elsewhere = png({ width: 4, height: 4, color: 7 });
/** Whatever the address: one picture, whose hash is all `e`. */
const images = { load: async () => ({ bytes: elsewhere, mimeType: 'image/png', sha256: 'e'.repeat(64) }) };

/** A road whose one node is `comfy_workflow`, before two servers: an older one, and a newer one without videos. */
export class ComfyRoad {
  private constructor(
    readonly road: Road,
    readonly older: ComfyStandIn,
    readonly newer: ComfyStandIn,
    readonly servers: ComfyServers,
    readonly node: NodeDefinition,
  ) {}

  static async start(): Promise<ComfyRoad> {
    const older = await ComfyStandIn.start({ version: '0.3.64' });
    const newer = await ComfyStandIn.start({ models: { checkpoints: ['sdxl.safetensors'] }, without: ['VHS_VideoCombine'] });
    const servers = new ComfyServers([older.url, newer.url], POOL);
    const node = comfyWorkflowNode(servers, images as unknown as RemoteImages, PATIENCE);
    const road = await buildRoad({ nodes: [node] });
    road.worker({ lanes: ['provider'], concurrency: 1 }).start();
    return new ComfyRoad(road, older, newer, servers, node);
  }

  submit(graph: Graph, more: object = {}) {
    const nodePayload = { graph, files: [], inputs: {}, models: [], ...more } as never;
    return this.road.submit({ steps: [{ id: 1, nodeName: 'comfy_workflow', nodePayload }], lane: 'provider' });
  }

  assetsOf(jobId: string) {
    return this.road.database.query<{ name: string; mime_type: string; storage_key: string; size: string }>(
      'select name, mime_type, storage_key, size from flat_file where job_id = $1 order by index', [jobId]);
  }

  async stepOf(jobId: string) {
    return (await stepRuns(this.road.database, jobId)).at(-1)!;
  }

  /** The server that runs a graph, as soon as one does. Graphs are known by their colour. */
  async runnerOf(graph: Graph): Promise<ComfyStandIn> {
    const color = graph[1]?.inputs['color'];
    const find = () => [this.older, this.newer].find(({ executor }) => executor.running?.graph[1]?.inputs['color'] === color);
    await eventually(() => expect(find()?.name).toBeDefined());
    return find() as ComfyStandIn;
  }

  /** No server has anything left to do. */
  isIdle(): Promise<void> {
    return eventually(() => expect([this.older, this.newer].map(({ executor }) => executor.remaining)).toEqual([0, 0]));
  }

  async close(): Promise<void> {
    await this.road.close();
    await this.servers.close();
    await this.older.close();
    await this.newer.close();
  }
}
