import { setTimeout as sleep } from 'node:timers/promises';
import type { ComfyOrder } from '#libs/comfyui/comfy-order.js';
import type { ComfyServer } from '#libs/comfyui/comfy-server.js';
import { isWebsocketOutput, type Graph } from '#libs/comfyui/graph.js';
import type { PromptListener } from '#libs/comfyui/server-socket.js';
import { endedOutcome } from './outcome.js';
import { inputFault, worldFault, type Done, type FetchedFile, type NodeContext } from '../node.js';

const MAX_BYTES = 256 * 1024 ** 2;
/** How often history is asked, should the end not be heard. */
const LOOK_MS = 2_000;

export const hasWebsocketOutput = (graph: Graph): boolean => Object.values(graph).some(isWebsocketOutput);

/**
 * Collects the images that a graph sends over the websocket. Nobody else hears them and nothing keeps them, so
 * the step holds its slot until the prompt ends, and begins anew when the socket breaks.
 */
export class SocketOutputs {
  private readonly images: Buffer[] = [];
  private size = 0;
  private fault: Error | null = null;
  private end = () => {};
  private readonly ended = new Promise<void>((resolve) => (this.end = resolve));

  constructor(private readonly graph: Graph) {}

  /** What hears for it. */
  listener(hear: PromptListener['hear']): PromptListener {
    return {
      hear: (message) => {
        hear(message);
        if (message.type === 'executing' && message.node === null) this.end();
      },
      image: (node, bytes) => this.take(node, bytes),
      deaf: () => this.fail(worldFault('COMFYUI_SOCKET_LOST', 'The websocket to the ComfyUI server broke')),
    };
  }

  /** Waits for the prompt's end, and gives what it gave by both ways. */
  async collect(
    server: ComfyServer,
    promptId: string,
    context: NodeContext<ComfyOrder>,
    fetched: FetchedFile[],
  ): Promise<Done> {
    for (;;) {
      await Promise.race([this.ended, sleep(LOOK_MS, undefined, { signal: context.signal })]);
      if (this.fault) throw this.fault;
      const state = await server.state(promptId);
      if (state.kind === 'pending' || state.kind === 'running') continue;
      // What was sent last may still be on its way.
      await Promise.race([this.ended, sleep(LOOK_MS)]);
      return endedOutcome(server, state, { images: this.images, fetched, madeWith: { prompt: promptId } });
    }
  }

  /** Previews of other nodes are no outputs. */
  private take(nodeId: string, bytes: Buffer): void {
    const node = this.graph[nodeId];
    if (!node || !isWebsocketOutput(node)) return;
    this.size += bytes.length;
    if (this.size > MAX_BYTES) this.fail(inputFault('OUTPUT_TOO_LARGE', 'The images have more than 256 MiB together'));
    else this.images.push(bytes);
  }

  private fail(fault: Error): void {
    this.fault ??= fault;
    this.end();
  }
}
