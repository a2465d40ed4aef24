import { Controller, Get, Param, Post, Query, Req } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import type { FastifyRequest } from 'fastify';
import { FileUrls } from '#libs/assets/file-urls.js';
import { generationNotFound, jobNotFound } from '#libs/errors/errors.js';
import { EventLog } from '#libs/events/event-log.js';
import type { JobEvent } from '#libs/events/job-event.js';
import { JobControl } from '#libs/generations/job-control.js';
import { JobQueries } from '#libs/generations/job-queries.js';
import {
  presentEvent, type GenerationView, type JobSummary, type JobView,
} from '#libs/generations/job-view.js';
import { Answers, ApiIdempotencyKey } from '../http/answers.js';
import type { Answer } from '../http/envelope.js';
import { Idempotency } from '../http/idempotency.js';
import { parseUuid } from '../http/ids.js';
import { PageQuery } from '../http/paging.dto.js';
import { readCursor, toPage, type Page } from '../http/paging.js';
import { CurrentCaller, Policy, type Caller } from '../http/policy.js';
import { SubmitRate } from '../http/rates.js';
import { GenerationAnswer, JobAnswer, JobEventAnswer, JobsQuery, JobSummaryAnswer } from './jobs.dto.js';

const LARGEST_INDEX = 2_147_483_647;

@ApiTags('Jobs')
@Policy('user')
@Controller('jobs')
export class JobsController {
  constructor(
    private readonly jobs: JobQueries,
    private readonly control: JobControl,
    private readonly log: EventLog,
    private readonly urls: FileUrls,
    private readonly idempotency: Idempotency,
  ) {}

  /** The caller's jobs, newest first, without their generations. */
  @Get()
  @Answers({ pageOf: JobSummaryAnswer, errors: ['VALIDATION_ERROR'] })
  async list(@CurrentCaller() caller: Caller, @Query() query: JobsQuery): Promise<Page<JobSummary>> {
    const { limit, cursor, ...filters } = query;
    const after = readCursor(cursor, ['time', 'uuid']);
    const listed = await this.jobs.list(caller.userId, filters, { limit: limit + 1, after });
    return toPage(listed, limit, ({ job, createdAtText }) => [createdAtText, job.id], ({ job }) => job);
  }

  /** State, cost and the first 100 generations of a job. */
  @Get(':id')
  @Answers({ data: JobAnswer, errors: ['JOB_NOT_FOUND'] })
  find(@CurrentCaller() caller: Caller, @Param('id') id: string): Promise<JobView> {
    return this.jobs.find(caller.userId, parseUuid(id, jobNotFound));
  }

  /** All generations of a job with the outputs of their steps, by index. */
  @Get(':id/generations')
  @Answers({ pageOf: GenerationAnswer, errors: ['JOB_NOT_FOUND', 'VALIDATION_ERROR'] })
  async generations(
    @CurrentCaller() caller: Caller,
    @Param('id') id: string,
    @Query() { limit, cursor }: PageQuery,
  ): Promise<Page<GenerationView>> {
    const after = after32Bits(readCursor(cursor, ['bigint']));
    const rows = await this.jobs.generations(caller.userId, parseUuid(id, jobNotFound), after, limit + 1);
    return toPage(rows, limit, ({ index }) => [String(index)]);
  }

  /** Every recorded event of a job, in order. */
  @Get(':id/history')
  @Answers({ pageOf: JobEventAnswer, errors: ['JOB_NOT_FOUND', 'VALIDATION_ERROR'] })
  async history(
    @CurrentCaller() caller: Caller,
    @Param('id') id: string,
    @Query() { limit, cursor }: PageQuery,
  ): Promise<Page<JobEvent>> {
    const jobId = parseUuid(id, jobNotFound);
    await this.jobs.assertOwner(caller.userId, jobId);
    const after = Number(readCursor(cursor, ['bigint'])?.[0] ?? 0);
    const events = await this.log.after(jobId, after, limit + 1);
    return toPage(events, limit, ({ seq }) => [String(seq)], (event) => presentEvent(event, this.urls));
  }

  /** Stops what runs and gives back what was not made. Ended generations stay as they are. */
  @Post(':id/cancel')
  @Answers({ data: JobAnswer, errors: ['JOB_NOT_FOUND', 'INVALID_JOB_STATUS'] })
  async cancel(@CurrentCaller() caller: Caller, @Param('id') id: string): Promise<JobView> {
    const jobId = parseUuid(id, jobNotFound);
    await this.control.cancelJob(caller.userId, jobId);
    return this.jobs.find(caller.userId, jobId);
  }

  /**
   * Runs what failed or was cancelled again, from the step that failed; finished steps are not run again.
   * Its full price is held again.
   */
  @Post(':id/resume')
  @SubmitRate()
  @ApiIdempotencyKey()
  @Answers({ data: JobAnswer, errors: ['JOB_NOT_FOUND', 'INVALID_JOB_STATUS', 'INSUFFICIENT_CREDITS'] })
  resume(
    @Req() request: FastifyRequest,
    @CurrentCaller() caller: Caller,
    @Param('id') id: string,
  ): Promise<Answer> {
    const jobId = parseUuid(id, jobNotFound);
    return this.once(request, caller, jobId, () => this.control.resumeJob(caller.userId, jobId));
  }

  /** Cancels one edition; the others go on. */
  @Post(':id/generations/:index/cancel')
  @Answers({
    data: JobAnswer,
    errors: ['JOB_NOT_FOUND', 'GENERATION_NOT_FOUND', 'INVALID_GENERATION_STATUS'],
  })
  async cancelGeneration(
    @CurrentCaller() caller: Caller,
    @Param('id') id: string,
    @Param('index') index: string,
  ): Promise<JobView> {
    const jobId = parseUuid(id, jobNotFound);
    await this.control.cancelGeneration(caller.userId, jobId, parseIndex(index));
    return this.jobs.find(caller.userId, jobId);
  }

  /** Runs one failed or cancelled edition again. */
  @Post(':id/generations/:index/resume')
  @SubmitRate()
  @ApiIdempotencyKey()
  @Answers({
    data: JobAnswer,
    errors: ['JOB_NOT_FOUND', 'GENERATION_NOT_FOUND', 'INVALID_GENERATION_STATUS', 'INSUFFICIENT_CREDITS'],
  })
  resumeGeneration(
    @Req() request: FastifyRequest,
    @CurrentCaller() caller: Caller,
    @Param('id') id: string,
    @Param('index') index: string,
  ): Promise<Answer> {
    const jobId = parseUuid(id, jobNotFound);
    const at = parseIndex(index);
    return this.once(request, caller, jobId, () => this.control.resumeGeneration(caller.userId, jobId, at));
  }

  /**
   * Resuming has its own transaction, which a second one refuses by the job's status: what is stored under
   * the key is only the answer.
   */
  private once(
    request: FastifyRequest,
    caller: Caller,
    jobId: string,
    resume: () => Promise<void>,
  ): Promise<Answer> {
    return this.idempotency.run(
      request,
      caller,
      async () => {
        await resume();
        return this.jobs.find(caller.userId, jobId);
      },
      async (_tx, job) => job,
      { status: 200 },
    );
  }
}

/** Indexes are 32-bit: a forged cursor beyond them is past the end, no error of the database. */
const after32Bits = (cursor: string[] | null): number => Math.min(Number(cursor?.[0] ?? -1), LARGEST_INDEX);

function parseIndex(index: string): number {
  if (!/^\d{1,9}$/.test(index)) throw generationNotFound();
  return Number(index);
}
