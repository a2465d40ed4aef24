import { ApiHeader } from '@nestjs/swagger';
import type { FastifyRequest } from 'fastify';
import { JobQueries } from '#libs/generations/job-queries.js';
import { JobWaiter } from '#libs/generations/job-waiter.js';
import { tracepoint } from '#libs/tracepoints/tracepoints.js';
import { Answer, successEnvelope } from '../http/envelope.js';
import type { Caller } from '../http/policy.js';

/** `wait=n` of RFC 7240 among a request's preferences. */
const WAIT = /(?:^|,)\s*wait\s*=\s*"?(\d{1,9})"?\s*(?:$|[,;])/i;

/** `Prefer: wait=n` (1–60 s) of the routes that submit: the answer comes once the job has ended, or after n s. */
export class HeldAnswers {
  constructor(
    private readonly waiter: JobWaiter,
    private readonly jobs: JobQueries,
  ) {}

  /** The answer of a submission, held, with its job's `status` as it is after the wait. */
  async hold(request: FastifyRequest, caller: Caller, answer: Answer): Promise<Answer> {
    tracepoint('submission.before-answer');
    const receipt = answer.data<{ job_id: string; status: string }>();
    return this.untilEnd(request, answer, receipt.job_id, async () => {
      const { status } = await this.jobs.find(caller.userId, receipt.job_id);
      return { ...receipt, status };
    });
  }

  /**
   * Waits for a job as long as the request prefers; the answer then tells what there is `now`. A replayed one is
   * held as well, but its text stays what it was at first. `unasked`: seconds for a request that prefers nothing.
   */
  async untilEnd<Data>(
    request: FastifyRequest,
    answer: Answer,
    jobId: string,
    now: () => Promise<Data>,
    unasked: number | null = null,
  ): Promise<Answer> {
    const seconds = preferredWait(request) ?? unasked;
    if (!seconds) return answer;
    await whileConnected(request, (signal) => this.waiter.wait(jobId, seconds, signal));
    return answer.replayed ? answer : new Answer(answer.status, JSON.stringify(successEnvelope(await now())));
  }
}

/** Does something for no longer than the client stays. */
export async function whileConnected<Result>(
  { raw }: FastifyRequest,
  work: (signal: AbortSignal) => Promise<Result>,
): Promise<Result> {
  const gone = new AbortController();
  const leave = () => gone.abort();
  raw.socket.once('close', leave);
  try {
    return await work(gone.signal);
  } finally {
    raw.socket.off('close', leave);
  }
}

/** A preference that makes no sense is ignored, as RFC 7240 has it. */
export function preferredWait({ headers }: Pick<FastifyRequest, 'headers'>): number | null {
  const seconds = Number(WAIT.exec([headers.prefer].flat().join(','))?.[1] ?? 0);
  return seconds >= 1 ? Math.min(seconds, 60) : null;
}

/** `Prefer` of a route that submits, for OpenAPI. */
export const ApiPreferWait = () =>
  ApiHeader({
    name: 'Prefer',
    required: false,
    description: '`wait=n` (1–60 seconds) holds the answer until the job has ended, n seconds at most.',
    schema: { type: 'string', examples: ['wait=30'] },
  });
