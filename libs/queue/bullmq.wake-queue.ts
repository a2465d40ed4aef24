import type { IQueueBackend, Job, JobProgress, Queue, Worker } from 'bullmq';
import { LANES, type Lane } from '#libs/nodes/node.js';
import { within } from './deadline.js';
import type { QueueBackend } from './queue-backend.js';
import { WakeQueue, type LaneDepth, type QueueMemory, type WakeQueueConsumer, type WakeUp } from './wake-queue.js';

const WAKE_TIMEOUT_MS = 2_000;
/** Of one batch of entries. A wake-up waits for the batch before its own, too. */
const ADD_TIMEOUT_MS = 1_000;
const CLOSE_TIMEOUT_MS = 5_000;
const WAKE_UPS_PER_CALL = 500;
const COUNTED_STATES = ['waiting', 'delayed', 'active'] as const;
/** How soon a worker tries again after a connection error; BullMQ's own is 15 s. */
const RETRY_MS = 1_000;

type WakeUpData = Pick<WakeUp, 'generationId' | 'dispatch'>;
type WakeUpQueue = Queue<WakeUpData, void, string, WakeUpData, void, string, IQueueBackend, unknown>;
type WakeUpWorker = Worker<WakeUpData, void, string, IQueueBackend, JobProgress, unknown>;

/**
 * Wake-ups as BullMQ jobs, one queue per lane. An entry is named after its generation and wake-up number
 * and leaves nothing behind, so that no older one can swallow it. Retries and stalls are not BullMQ's
 * business: leases and the reconciler see to that.
 */
export class BullmqWakeQueue extends WakeQueue {
  private readonly lanes: Map<Lane, WakeUpQueue>;
  private readonly consumers = new Set<WakeQueueConsumer>();
  /** The batch on its way, and the one behind it. */
  private adding: Promise<void> = Promise.resolve();
  private next: { wakeUps: WakeUp[]; added: Promise<void> } | null = null;

  constructor(
    private readonly backend: QueueBackend,
    private readonly onError: (error: Error) => void = () => undefined,
  ) {
    super();
    this.lanes = new Map(LANES.map((lane) => [lane, this.createQueue(lane)]));
  }

  /** BullMQ's own objects, for the queue board. Its default type names Redis, whatever the backend. */
  queues(): Queue[] {
    return [...this.lanes.values()] as unknown as Queue[];
  }

  /** What comes while a batch is on its way goes out together in the next one. */
  async wake(wakeUps: WakeUp[]): Promise<void> {
    if (wakeUps.length === 0 || !this.backend.ready()) return;
    this.next ??= { wakeUps: [], added: this.adding.then(() => this.addNext()) };
    this.next.wakeUps.push(...wakeUps);
    await this.next.added;
  }

  consume(lane: Lane, concurrency: number, handler: (wakeUp: WakeUp) => Promise<void>): WakeQueueConsumer {
    const worker = new this.backend.classes.Worker<WakeUpData, void>(
      queueName(lane),
      (job: Job<WakeUpData>) => handler({ lane, ...job.data }),
      { ...this.backend.workerOptions, concurrency, runRetryDelay: RETRY_MS, maxStalledCount: 1_000 },
    );
    worker.on('error', this.onError);
    worker.on('failed', (_job, error) => this.onError(error));
    const consumer: WakeQueueConsumer = {
      pause: () => worker.pause(true),
      close: async () => {
        this.consumers.delete(consumer);
        await this.closeWorker(worker);
      },
    };
    this.consumers.add(consumer);
    return consumer;
  }

  async depth(): Promise<LaneDepth[]> {
    const lanes = [...this.lanes].map(async ([lane, queue]) => {
      const counts = await queue.getJobCounts(...COUNTED_STATES);
      return Object.entries(counts).map(([state, count]) => ({ lane, state, count }));
    });
    return (await within(WAKE_TIMEOUT_MS, Promise.all(lanes))).flat();
  }

  memory(): Promise<QueueMemory | null> {
    return within(WAKE_TIMEOUT_MS, this.backend.memory());
  }

  async close(): Promise<void> {
    await Promise.all([...this.consumers].map((consumer) => consumer.close()));
    await Promise.all(this.queues().map((queue) => within(CLOSE_TIMEOUT_MS, queue.close()).catch(this.onError)));
    await within(CLOSE_TIMEOUT_MS, this.backend.close()).catch(this.onError);
  }

  /** A worker waits for its running handlers, but would wait for ever for a datastore that is away. */
  private async closeWorker(worker: WakeUpWorker): Promise<void> {
    const force = await within(WAKE_TIMEOUT_MS, this.backend.ping()).then(() => false, () => true);
    await within(CLOSE_TIMEOUT_MS, worker.close(force)).catch(this.onError);
  }

  private addNext(): Promise<void> {
    const wakeUps = this.next?.wakeUps ?? [];
    this.next = null;
    this.adding = within(ADD_TIMEOUT_MS, this.addAll(wakeUps)).catch(this.onError);
    return this.adding;
  }

  private createQueue(lane: Lane) {
    const queue = new this.backend.classes.Queue<WakeUpData, void>(queueName(lane), this.backend.queueOptions);
    queue.on('error', this.onError);
    return queue;
  }

  private async addAll(wakeUps: WakeUp[]): Promise<void> {
    for (const [lane, queue] of this.lanes) {
      const entries = wakeUps.filter((wakeUp) => wakeUp.lane === lane).map(queueEntry);
      for (let from = 0; from < entries.length; from += WAKE_UPS_PER_CALL) {
        await queue.addBulk(entries.slice(from, from + WAKE_UPS_PER_CALL));
      }
    }
  }
}

const queueName = (lane: Lane) => `platen-${lane}`;

const queueEntry = ({ generationId, dispatch, delayMs }: WakeUp) => ({
  name: 'wake',
  data: { generationId, dispatch },
  opts: {
    jobId: `gen-${generationId}-${dispatch}`,
    attempts: 1,
    removeOnComplete: true,
    removeOnFail: true,
    ...(delayMs !== undefined && { delay: delayMs }),
  },
});
