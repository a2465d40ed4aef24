import 'reflect-metadata';
import { NestFactory } from '@nestjs/core';
import { createLogger } from '#libs/backing-services/logger.js';
import type { Environment } from '#libs/config/environment.js';
import { startTracing } from '#libs/tracing/tracing.js';
import { keepHeapSmall } from './heap-growth.js';
import { WorkerModule } from './worker.module.js';
import { startWorkerPages } from './worker-pages.js';

export interface RunningWorker {
  /** Where it tells whether it works, and what it measures; absent without `WORKER_PORT`. */
  url?: string;
  /** Takes nothing new, lets running steps end for the grace time, hands the rest back. */
  close(): Promise<void>;
}

/** Starts a worker and returns once it takes generations. */
export async function startWorker(environment: Environment): Promise<RunningWorker> {
  keepHeapSmall();
  const stopTracing = await startTracing(environment);
  const logger = createLogger(environment);
  const app = await NestFactory.createApplicationContext(WorkerModule.forRoot(environment, logger), {
    logger: ['error', 'warn'],
    abortOnError: false,
  });
  const pages = await startWorkerPages(app).catch(async (error: unknown) => {
    await app.close();
    await stopTracing();
    throw error;
  });
  return {
    ...(pages && { url: pages.url }),
    close: async () => {
      await app.close();
      await pages?.close();
      await stopTracing();
    },
  };
}
