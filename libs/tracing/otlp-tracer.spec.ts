import { TraceCollector, type ReceivedSpan } from '../../test/setup/trace-collector.js';
import { currentTrace } from './current-trace.js';
import { OtlpTracer } from './otlp-tracer.js';
import { inSpan, openSpan, traceWith } from './spans.js';

let collector: TraceCollector;
let tracer: OtlpTracer;

beforeEach(async () => {
  collector = await TraceCollector.start();
  tracer = new OtlpTracer({ endpoint: collector.url, service: 's', version: '1', instance: 'i' });
  traceWith(tracer);
});
afterEach(() => {
  traceWith(undefined);
  collector.close();
});

async function received(): Promise<(name: string) => ReceivedSpan> {
  await tracer.close();
  return (name) => collector.spans.find((span) => span.name === name) as ReceivedSpan;
}

describe('spans', () => {
  it('are part of the one that they run in, and say by their code how they failed', async () => {
    const fault = Object.assign(new Error('quotes a prompt'), { code: 'UPSTREAM_ERROR' });
    const work = inSpan(() => ({ name: 'outer', root: true }), async () => {
      await inSpan(() => ({ name: 'inner' }), () => Promise.reject(fault));
    });
    await expect(work).rejects.toBe(fault);
    const span = await received();
    expect(span('inner')).toMatchObject({ traceId: span('outer').traceId, parentSpanId: span('outer').spanId });
    expect(span('inner').status).toEqual({ code: 2, message: 'UPSTREAM_ERROR' });
    expect(JSON.stringify(collector.spans)).not.toContain('prompt');
  });

  it('link to the one that they go on from, whoever made it', async () => {
    const parent = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';
    openSpan({ name: 'first', parent, key: 'generation:1' })?.end();
    openSpan({ name: 'second', parent, key: 'generation:2', continues: 'generation:1' })?.end();
    const span = await received();
    expect(span('second').links).toMatchObject([{ traceId: span('first').traceId, spanId: span('first').spanId }]);
    expect(span('second').spanId).not.toBe(span('first').spanId);
  });

  it.each(['', 'nonsense', `00-${'0'.repeat(32)}-${'1'.repeat(16)}-01`])(
    'begin a trace of their own when the caller sends %p', async (parent) => {
      openSpan({ name: 'alone', parent })?.end();
      const span = await received();
      expect(span('alone').traceId).toMatch(/^(?!0{32})[0-9a-f]{32}$/);
      expect(span('alone').parentSpanId ?? '').toBe('');
    },
  );

  it('that nobody takes are told of, and hold up nothing', async () => {
    const reasons: string[] = [];
    const away = new OtlpTracer({
      endpoint: `${collector.url}/nowhere`, service: 's', version: '1', instance: 'i', onError: (reason) => reasons.push(reason),
    });
    away.start({ name: 'lost' }).end();
    await away.close();
    expect(reasons.length).toBeGreaterThan(0);
    expect(collector.spans).toEqual([]);
  });

  it('are not made where the caller wants none', async () => {
    const parent = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-00';
    await inSpan(() => ({ name: 'unwanted', parent }), async () => expect(currentTrace()).toMatch(/-00$/));
    await received();
    expect(collector.spans).toEqual([]);
  });

  it('cost nothing without a tracer, and are not made for what is part of nothing', async () => {
    expect(await inSpan(() => ({ name: 'part of nothing' }), async () => currentTrace())).toBeUndefined();
    traceWith(undefined);
    const unwanted = () => {
      throw new Error('nobody asks for it');
    };
    expect(await inSpan(unwanted, async () => 'done')).toBe('done');
    await received();
    expect(collector.spans).toEqual([]);
  });
});
