import 'reflect-metadata';
import helmet from '@fastify/helmet';
import multipart from '@fastify/multipart';
import { NestFactory } from '@nestjs/core';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import type { OpenAPIObject } from '@nestjs/swagger';
import { PinoLogger } from 'nestjs-pino';
import { createLogger } from '#libs/backing-services/logger.js';
import type { Environment } from '#libs/config/environment.js';
import { OperatorAccess } from '#libs/identity/operator-access.js';
import { Metrics } from '#libs/metrics/metrics.js';
import { metricsPage, startOperatorsServer, type OperatorsServer } from '#libs/metrics/operators-server.js';
import type { BullmqWakeQueue } from '#libs/queue/bullmq.wake-queue.js';
import { WakeQueue } from '#libs/queue/wake-queue.js';
import { startTracing } from '#libs/tracing/tracing.js';
import { ApiModule } from './api.module.js';
import { FrameworkLogger } from './http/framework-logger.js';
import { createServer } from './http/server.js';
import { UnguardedAnswers } from './http/unguarded-answers.js';
import { HttpMetrics } from './ops/http-metrics.js';
import { traceRequests } from './ops/http-traces.js';
import { describeRoutes, serveOpenApi } from './ops/openapi.js';
import { mountQueueBoard } from './ops/queue-board.js';
import { mountStudio } from './studio/studio.js';

export interface RunningApi {
  url: string;
  /**
   * Takes no new requests, lets running ones end for as long as `SHUTDOWN_GRACE_MS` and then cuts them off;
   * last closes what they stood on.
   */
  close(): Promise<void>;
}

/** Starts the API and returns once it listens. `PORT` 0 takes any free port. */
export async function startApi(environment: Environment): Promise<RunningApi> {
  const stopTracing = await startTracing(environment);
  const app = await createApi(environment);
  let pages: OperatorsServer | undefined;
  try {
    pages = await startMetricsServer(app, environment);
    await app.listen({ port: environment.PORT, host: environment.HOST });
  } catch (error) {
    await pages?.close();
    await app.close();
    await stopTracing();
    throw error;
  }
  return {
    url: await app.getUrl(),
    close: async () => {
      await closeInTime(app, environment.SHUTDOWN_GRACE_MS);
      await pages?.close();
      await stopTracing();
    },
  };
}

/** With `METRICS_PORT` the metrics are served there instead of among the routes. */
async function startMetricsServer(
  app: NestFastifyApplication,
  { HOST: host, METRICS_PORT: port }: Environment,
): Promise<OperatorsServer | undefined> {
  if (port === undefined) return undefined;
  const [metrics, access] = [app.get(Metrics), app.get(OperatorAccess)];
  return startOperatorsServer(
    { host, port },
    { '/metrics': (authorization) => metricsPage(metrics, access, authorization) },
  );
}

async function closeInTime(app: NestFastifyApplication, graceMs: number): Promise<void> {
  const cutOff = setTimeout(() => app.getHttpServer().closeAllConnections(), graceMs);
  try {
    await app.close();
  } finally {
    clearTimeout(cutOff);
  }
}

/** The whole API, not yet listening. */
export async function createApi(environment: Environment): Promise<NestFastifyApplication> {
  const logger = createLogger(environment);
  const app = await NestFactory.create<NestFastifyApplication>(
    ApiModule.forRoot(environment, logger),
    createServer(logger),
    { bodyParser: false, bufferLogs: true, abortOnError: false },
  );
  app.useLogger(new FrameworkLogger(await app.resolve(PinoLogger), {}));
  await protect(app, environment);
  app.get(UnguardedAnswers).countIn(app.getHttpAdapter().getInstance());
  const server = app.getHttpAdapter().getInstance();
  app.get(HttpMetrics).observe(server);
  traceRequests(server);
  mountQueueBoard(server, app.get(OperatorAccess), app.get<BullmqWakeQueue>(WakeQueue).queues());
  mountStudio(server);
  serveOpenApi(app);
  await app.init();
  return app;
}

/** The OpenAPI document, without a database or anything else: of a preview Nest makes no part. */
export async function describeApi(environment: Environment): Promise<OpenAPIObject> {
  const logger = createLogger({ ...environment, LOG_LEVEL: 'silent' });
  const server = createServer(logger);
  const app = await NestFactory.create(ApiModule.forRoot(environment, logger), server, { preview: true, logger: false });
  return describeRoutes(app);
}

async function protect(app: NestFastifyApplication, environment: Environment): Promise<void> {
  await app.register(helmet, {
    // Pages of this server also work over plain HTTP, on the machine they were installed on.
    // Nothing on them comes from elsewhere: no fonts of strangers, who would learn of each visit.
    contentSecurityPolicy: {
      directives: {
        'upgrade-insecure-requests': null,
        'style-src': ["'self'", "'unsafe-inline'"],
        'font-src': ["'self'", 'data:'],
      },
    },
  });
  await app.register(multipart, { limits: { fileSize: environment.MAX_ASSET_BYTES } });
  if (environment.CORS_ORIGINS.length === 0) return;
  app.enableCors({
    origin: environment.CORS_ORIGINS.includes('*') ? '*' : environment.CORS_ORIGINS,
    methods: ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE'],
    exposedHeaders: [
      'Idempotency-Replayed', 'RateLimit-Limit', 'RateLimit-Remaining', 'RateLimit-Reset', 'Retry-After', 'X-Request-Id',
    ],
    maxAge: 600,
  });
}
