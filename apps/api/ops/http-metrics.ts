import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { Counter, Histogram } from 'prom-client';
import type { Metrics } from '#libs/metrics/metrics.js';
import type { EventGateway } from '../generations/event-gateway.js';
import { RecentCallers } from './recent-callers.js';

/** Seconds. */
const BUCKETS = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60];
/** One label for all that no route answers: addresses that strangers try are without end. */
const NO_ROUTE = 'none';

/** Counts requests by the route's template, never by its address, and who makes them. */
export class HttpMetrics {
  private readonly callers = new RecentCallers();
  private readonly seconds: Histogram<'method' | 'route' | 'status'>;
  private readonly errors: Counter<'code'>;

  constructor(metrics: Metrics, streams: EventGateway) {
    const registers = [metrics.registry];
    this.seconds = new Histogram({
      name: 'platen_http_request_duration_seconds',
      help: 'From the request to the end of its answer; streams of events are not in it.',
      labelNames: ['method', 'route', 'status'],
      buckets: BUCKETS,
      registers,
    });
    this.errors = new Counter({
      name: 'platen_http_errors_total', help: 'Requests that failed, by code.', labelNames: ['code'], registers,
    });
    metrics.gauge('platen_active_users', 'Users who called this process in the last five minutes.', () =>
      this.callers.count(),
    );
    metrics.gauge('platen_event_streams', 'Streams of events that are open.', () => streams.size);
  }

  /** Watches all routes that are added from here on. */
  observe(server: Pick<FastifyInstance, 'addHook'>): void {
    server.addHook('onResponse', async (request, reply) => this.count(request, reply));
  }

  private count(request: FastifyRequest, reply: FastifyReply): void {
    const { caller, failureCode, method, routeOptions } = request;
    if (caller) this.callers.saw(caller.userId);
    if (failureCode) this.errors.inc({ code: failureCode });
    if (isStream(reply)) return;
    const labels = { method, route: routeOptions.url ?? NO_ROUTE, status: String(reply.statusCode) };
    this.seconds.observe(labels, reply.elapsedTime / 1_000);
  }
}

const isStream = ({ raw }: FastifyReply): boolean =>
  String(raw.getHeader('content-type')).startsWith('text/event-stream');
