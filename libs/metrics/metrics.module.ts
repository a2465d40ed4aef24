import { Global, Module, type OnApplicationShutdown } from '@nestjs/common';
import { Environment } from '#libs/config/environment.js';
import { Database } from '#libs/database/database.js';
import { EventBus } from '#libs/events/event-bus.js';
import { WakeQueue } from '#libs/queue/wake-queue.js';
import { measureConnections } from './connection-metrics.js';
import { measureDisks } from './disk-metrics.js';
import { Metrics } from './metrics.js';
import { RoadMetrics } from './road-metrics.js';
import { measureRows } from './row-metrics.js';

const METRICS = {
  provide: Metrics,
  inject: [Environment, Database, EventBus, WakeQueue],
  useFactory: (environment: Environment, database: Database, bus: EventBus, queue: WakeQueue): Metrics => {
    const metrics = new Metrics();
    const road = new RoadMetrics(metrics);
    measureConnections(metrics, { database, bus, queue });
    measureDisks(metrics, foldersOf(environment));
    measureRows(metrics, database, {
      generationTimeoutMs: environment.GENERATION_TIMEOUT_MS,
      workflowIds: () => road.workflowIds,
    });
    return metrics;
  },
};

/** Where files pass through, and where they stay unless that is a bucket. Without `STORAGE_PATH` it is one disk. */
function foldersOf({ PLATEN_HOME, STORAGE_DRIVER, STORAGE_PATH }: Environment): Record<string, string> {
  return { home: PLATEN_HOME, ...(STORAGE_DRIVER === 'local' && STORAGE_PATH && { storage: STORAGE_PATH }) };
}

/** What API and worker alike measure. Each app adds what only it knows. */
@Global()
@Module({ providers: [METRICS], exports: [METRICS] })
export class MetricsModule implements OnApplicationShutdown {
  constructor(private readonly metrics: Metrics) {}

  onApplicationShutdown(): void {
    this.metrics.close();
  }
}
