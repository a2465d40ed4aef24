import type { NodeTools } from '#libs/nodes/index.js';
import { OutboundClient } from '#libs/outbound/outbound-client.js';
import { RemoteImages } from '#libs/outbound/remote-images.js';

/** Tools of nodes whose payloads are checked only: none of them works, but those that a test gives. */
export const nodeTools = (tools: Partial<NodeTools> = {}): NodeTools => {
  const images = new RemoteImages(new OutboundClient());
  const idle = { scripts: {}, sketches: {}, images, providers: {}, comfy: {} };
  return { ...idle, ...tools } as NodeTools;
};
