import type { NodeTools } from '#libs/nodes/index.js';
import { OutboundClient } from '#libs/outbound/outbound-client.js';
import { RemoteImages } from '#libs/outbound/remote-images.js';

/** Tools of nodes whose payloads are checked only: none of them works, but those that a test gives. */
export const nodeTools = (tools: Partial<NodeTools> = {}): NodeTools => {
  const outbound = new OutboundClient();
  const images = new RemoteImages(outbound);
  const idle = {
    scripts: {}, sketches: {}, images, outbound, publicUrl: 'http://127.0.0.1', providers: { replicate: {} }, comfy: {},
    services: {},
  };
  return { ...idle, ...tools } as NodeTools;
};
