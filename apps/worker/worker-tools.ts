import type { Logger } from 'pino';
import { ComfyServers } from '#libs/comfyui/comfy-servers.js';
import type { Environment } from '#libs/config/environment.js';
import { publicUrlOf } from '#libs/config/public-url.js';
import type { NodeTools } from '#libs/nodes/index.js';
import { OutboundClient } from '#libs/outbound/outbound-client.js';
import { RemoteImages } from '#libs/outbound/remote-images.js';
import { createProviders, type Providers } from '#libs/providers/index.js';
import { createServiceQueue } from '#libs/queue/index.js';
import type { ServiceQueue } from '#libs/queue/service-queue.js';
import { QuickJsSandbox } from '#libs/sandbox/quickjs/quickjs-sandbox.js';
import type { ScriptSandbox } from '#libs/sandbox/script-sandbox.js';
import type { SketchRenderer } from '#libs/sandbox/sketch-renderer.js';

/** What this process's nodes work with, closed together. */
export class WorkerTools implements NodeTools {
  readonly scripts: ScriptSandbox;
  readonly images: RemoteImages;
  readonly providers: Providers;
  readonly comfy: ComfyServers;
  readonly outbound: OutboundClient;
  readonly publicUrl: string;
  readonly services: ServiceQueue;

  constructor(
    environment: Environment,
    readonly sketches: SketchRenderer,
    log: Logger,
  ) {
    this.outbound = new OutboundClient({ allowedHosts: environment.ALLOWED_HOSTS });
    this.scripts = new QuickJsSandbox(environment.WORKER_CONCURRENCY);
    this.images = new RemoteImages(this.outbound);
    this.publicUrl = publicUrlOf(environment);
    this.providers = createProviders(environment);
    this.services = createServiceQueue({
      redisUrl: environment.REDIS_URL,
      databaseUrl: environment.DATABASE_URL ?? '',
      empropsUrl: environment.EMPROPS_QUEUE_URL,
      onError: (error) => log.warn({ err: error }, 'services'),
    });
    this.comfy = new ComfyServers(environment.COMFYUI_URLS);
  }

  async close(): Promise<void> {
    await this.sketches.close();
    await this.scripts.close();
    await this.outbound.close();
    await this.providers.close();
    await this.comfy.close();
    await this.services.close();
  }
}
