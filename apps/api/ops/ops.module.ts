import { Module, type DynamicModule } from '@nestjs/common';
import type { Environment } from '#libs/config/environment.js';
import { Metrics } from '#libs/metrics/metrics.js';
import { EventGateway } from '../generations/event-gateway.js';
import { GenerationsModule } from '../generations/generations.module.js';
import { HealthController } from './health.controller.js';
import { HttpMetrics } from './http-metrics.js';
import { MetricsController } from './metrics.controller.js';

const HTTP_METRICS = {
  provide: HttpMetrics,
  inject: [Metrics, EventGateway],
  useFactory: (metrics: Metrics, streams: EventGateway) => new HttpMetrics(metrics, streams),
};

/** What operators ask of an API process. */
@Module({})
export class OpsModule {
  static forRoot({ METRICS_PORT }: Environment): DynamicModule {
    return {
      module: OpsModule,
      imports: [GenerationsModule],
      controllers: [HealthController, ...(METRICS_PORT === undefined ? [MetricsController] : [])],
      providers: [HTTP_METRICS],
    };
  }
}
