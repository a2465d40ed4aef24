import { randomUUID } from 'node:crypto';
import { startWorker } from '#apps/worker/main.js';
import { loadEnvironment } from '#libs/config/environment.js';
import { CollectionCalls } from '../factories/collection-calls.js';
import { jobEnds } from '../factories/reads.js';
import { JWT_SECRET, MASTER_KEY, startTestApi, type FirstTestApi } from '../setup/api.js';
import { TraceCollector, type ReceivedSpan } from '../setup/trace-collector.js';

const CALLERS_TRACE = '0af7651916cd43dd8448eb211c80319c';
const CALLERS_SPAN = 'b7ad6b7169203331';
const STEPS = [{ id: 1, nodeName: 'javascript', nodePayload: { code: 'return 1' } }];

describe('traces', () => {
  let collector: TraceCollector;
  let api: FirstTestApi;

  beforeAll(async () => {
    collector = await TraceCollector.start();
    api = await startTestApi({ OTEL_EXPORTER_OTLP_ENDPOINT: `${collector.url}/`, OTEL_SERVICE_NAME: 'of a test' });
  });
  afterAll(() => collector.close());

  async function makeAndStop(jobId: string): Promise<void> {
    const worker = await startWorker(
      loadEnvironment({
        NODE_ENV: 'test', LOG_LEVEL: 'silent', DATABASE_URL: api.databaseUrl, PLATEN_HOME: api.home, JWT_SECRET,
        PLATEN_MASTER_KEY: MASTER_KEY, OTEL_EXPORTER_OTLP_ENDPOINT: collector.url, OTEL_SERVICE_NAME: 'of a test',
      }),
    );
    await jobEnds(api.database, jobId, 'completed', 30_000);
    await worker.close();
  }

  it('lead from the request of a caller through the rows to each step, and hold no secret', async () => {
    const calls = new CollectionCalls(api, randomUUID());
    const { id } = await calls.draft({ data: { steps: STEPS, variables: {} } });
    const traceparent = `00-${CALLERS_TRACE}-${CALLERS_SPAN}-01`;
    const { data } = await calls.ask('POST', `/collections/${id}/generations`, {}, { traceparent });
    await calls.ask('GET', '/health/live');
    await makeAndStop(data.job_id);
    await api.close();

    const spans = collector.spans.filter(({ traceId }) => traceId === CALLERS_TRACE);
    const one = (name: string) => spans.find((span) => span.name === name) as ReceivedSpan;
    const request = one('POST /collections/:id/generations');
    expect([request.parentSpanId, request.kind]).toEqual([CALLERS_SPAN, 2]);
    expect(collector.attributesOf(request)).toMatchObject({ 'http.response.status_code': 201 });
    expect(one('submission').parentSpanId).toBe(request.spanId);
    expect(collector.attributesOf(one('submission'))).toMatchObject({ 'platen.job.id': data.job_id });
    expect(one('generation').parentSpanId).toBe(one('submission').spanId);
    expect(one('step javascript').parentSpanId).toBe(one('generation').spanId);
    expect(one('settlement').parentSpanId).toBe(one('generation').spanId);
    expect(spans.every(({ status }) => !status?.code)).toBe(true);
    expect([...collector.services]).toEqual(['of a test']);
    expect(collector.spans.filter(({ name }) => name.includes('health') || name === 'sweep')).toEqual([]);
    expect(JSON.stringify(collector.spans)).not.toContain('Bearer');
  });
});
