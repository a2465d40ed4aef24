import type { ComfyServers } from '#libs/comfyui/comfy-servers.js';
import type { OutboundClient } from '#libs/outbound/outbound-client.js';
import type { RemoteImages } from '#libs/outbound/remote-images.js';
import type { Providers } from '#libs/providers/index.js';
import type { ServiceQueue } from '#libs/queue/service-queue.js';
import type { ScriptSandbox } from '#libs/sandbox/script-sandbox.js';
import type { SketchRenderer } from '#libs/sandbox/sketch-renderer.js';
import { comfyWorkflowNode } from './comfy-workflow.node.js';
import { directJobNode } from './direct-job.node.js';
import { fetchApiNode } from './fetch-api.node.js';
import { javascriptNode } from './javascript.node.js';
import type { NodeDefinition } from './node.js';
import { p5Node } from './p5.node.js';
import { p5ToVideoNode } from './p5-to-video.node.js';
import { promptNode } from './prompt.node.js';
import { replicateNode } from './replicate.node.js';
import { variablesNode } from './variables.node.js';

/** What nodes work with. All start lazily, so that the API can list nodes without a browser. */
export interface NodeTools {
  scripts: ScriptSandbox;
  sketches: SketchRenderer;
  images: RemoteImages;
  outbound: OutboundClient;
  /** Where services that are called reach this installation. */
  publicUrl: string;
  providers: Pick<Providers, 'replicate' | 'chat'>;
  comfy: ComfyServers;
  services: ServiceQueue;
}

/** Every built-in node: one line each. `registrations.spec.ts` compares this list with the folder. */
export const createNodes = (tools: NodeTools): NodeDefinition[] => [
  comfyWorkflowNode(tools.comfy, tools.images),
  directJobNode(tools.services, tools.scripts, tools.outbound),
  fetchApiNode(tools.scripts, tools.outbound, tools.publicUrl),
  javascriptNode(tools.scripts),
  p5Node(tools.sketches, tools.images),
  p5ToVideoNode(tools.sketches, tools.images),
  promptNode(tools.providers.chat),
  replicateNode(tools.providers.replicate),
  variablesNode,
];
