import { Controller, Get, StreamableFile } from '@nestjs/common';
import { ApiResponse, ApiTags } from '@nestjs/swagger';
import { SkipThrottle } from '@nestjs/throttler';
import { Metrics } from '#libs/metrics/metrics.js';
import { Policy } from '../http/policy.js';

@ApiTags('Operations')
@Policy('operator')
@SkipThrottle()
@Controller('metrics')
export class MetricsController {
  constructor(private readonly metrics: Metrics) {}

  /**
   * What this process measures, as Prometheus reads it. For admins, and for whoever shows `METRICS_TOKEN` as
   * a Bearer. With `METRICS_PORT` it is there instead.
   */
  @Get()
  @ApiResponse({ status: 200, description: 'Success', content: { 'text/plain': { schema: { type: 'string' } } } })
  async read(): Promise<StreamableFile> {
    const { contentType: type } = this.metrics;
    return new StreamableFile(Buffer.from(await this.metrics.text()), { type });
  }
}
