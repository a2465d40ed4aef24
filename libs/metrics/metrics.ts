import { collectDefaultMetrics, Gauge, Registry } from 'prom-client';

/** Something that has to be looked up before metrics are read. It bounds its own time and never fails. */
export type Collector = () => Promise<void>;

/**
 * All that this process measures, in the text format of Prometheus. CPU, memory, garbage collection and
 * the delay of the event loop are in it from the start.
 */
export class Metrics {
  readonly registry = new Registry();
  private readonly collectors: Collector[] = [];
  private readonly stops: Array<() => void> = [];

  constructor() {
    collectDefaultMetrics({ register: this.registry });
  }

  /** Measures what can be told at any moment. */
  gauge(name: string, help: string, value: () => number): void {
    const gauge: Gauge = new Gauge({ name, help, registers: [this.registry], collect: () => gauge.set(value()) });
  }

  /** Has `collector` called before each reading, beside the others. */
  beforeReading(collector: Collector): void {
    this.collectors.push(collector);
  }

  /** Has `stop` called when nothing is measured any more. */
  onClose(stop: () => void): void {
    this.stops.push(stop);
  }

  get contentType(): string {
    return this.registry.contentType;
  }

  async text(): Promise<string> {
    await Promise.all(this.collectors.map((collect) => collect()));
    return this.registry.metrics();
  }

  close(): void {
    for (const stop of this.stops.splice(0)) stop();
    this.registry.clear();
  }
}
