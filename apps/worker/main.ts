import 'reflect-metadata';
import { NestFactory } from '@nestjs/core';
import { createLogger } from '#libs/backing-services/logger.js';
import type { Environment } from '#libs/config/environment.js';
import { WorkerModule } from './worker.module.js';

export interface RunningWorker {
  /** Takes nothing new, lets running steps end for the grace time, hands the rest back. */
  close(): Promise<void>;
}

/** Starts a worker and returns once it takes generations. */
export async function startWorker(environment: Environment): Promise<RunningWorker> {
  const logger = createLogger(environment);
  const app = await NestFactory.createApplicationContext(WorkerModule.forRoot(environment, logger), {
    logger: ['error', 'warn'],
    abortOnError: false,
  });
  return { close: () => app.close() };
}
