import { Body, Controller, Param, Post } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import { generationNotFound, jobNotFound } from '#libs/errors/errors.js';
import { JobVerbs } from '#libs/operators/job-verbs.js';
import { QueueView, type OperatedJob } from '#libs/operators/queue-view.js';
import { Answers } from '../http/answers.js';
import { parseUuid } from '../http/ids.js';
import { CurrentCaller, Policy, type Caller } from '../http/policy.js';
import { CancelRequest, OperatedJobAnswer, PriorityRequest } from './queue.dto.js';

/** Anybody's jobs, for operators. */
@ApiTags('Operations')
@Policy('admin')
@Controller('admin/queue/jobs')
export class QueuedJobsController {
  constructor(
    private readonly verbs: JobVerbs,
    private readonly view: QueueView,
  ) {}

  /** Stops what runs of a job and gives its owner back what was not made; the owner is told the reason. */
  @Post(':id/cancel')
  @Answers({ data: OperatedJobAnswer, errors: ['VALIDATION_ERROR', 'JOB_NOT_FOUND', 'INVALID_JOB_STATUS'] })
  cancel(@CurrentCaller() { userId }: Caller, @Param('id') id: string, @Body() { reason }: CancelRequest) {
    return this.after(id, (jobId) => this.verbs.cancel(userId, { jobId }, reason));
  }

  /** Cancels one edition; the others go on. */
  @Post(':id/generations/:index/cancel')
  @Answers({
    data: OperatedJobAnswer,
    errors: ['VALIDATION_ERROR', 'JOB_NOT_FOUND', 'GENERATION_NOT_FOUND', 'INVALID_GENERATION_STATUS'],
  })
  cancelGeneration(
    @CurrentCaller() { userId }: Caller,
    @Param('id') id: string,
    @Param('index') index: string,
    @Body() { reason }: CancelRequest,
  ) {
    return this.after(id, (jobId) => this.verbs.cancel(userId, { jobId, index: parseIndex(index) }, reason));
  }

  /** Runs what failed or was cancelled again, as its owner's `resume` does: from the step that failed, at the owner's cost. */
  @Post(':id/retry')
  @Answers({ data: OperatedJobAnswer, errors: ['JOB_NOT_FOUND', 'INVALID_JOB_STATUS', 'INSUFFICIENT_CREDITS'] })
  retry(@CurrentCaller() { userId }: Caller, @Param('id') id: string) {
    return this.after(id, (jobId) => this.verbs.retry(userId, { jobId }));
  }

  /** Runs one failed or cancelled edition again. */
  @Post(':id/generations/:index/retry')
  @Answers({
    data: OperatedJobAnswer,
    errors: ['JOB_NOT_FOUND', 'GENERATION_NOT_FOUND', 'INVALID_GENERATION_STATUS', 'INSUFFICIENT_CREDITS'],
  })
  retryGeneration(@CurrentCaller() { userId }: Caller, @Param('id') id: string, @Param('index') index: string) {
    return this.after(id, (jobId) => this.verbs.retry(userId, { jobId, index: parseIndex(index) }));
  }

  /** Moves what of a job waits behind the others of another priority, whatever its owner's plan allows. */
  @Post(':id/priority')
  @Answers({ data: OperatedJobAnswer, errors: ['VALIDATION_ERROR', 'JOB_NOT_FOUND', 'INVALID_JOB_STATUS'] })
  prioritise(@CurrentCaller() { userId }: Caller, @Param('id') id: string, @Body() { priority }: PriorityRequest) {
    return this.after(id, (jobId) => this.verbs.prioritise(userId, jobId, priority));
  }

  private async after(id: string, verb: (jobId: string) => Promise<void>): Promise<OperatedJob> {
    const jobId = parseUuid(id, jobNotFound);
    await verb(jobId);
    const job = await this.view.job(jobId);
    if (!job) throw jobNotFound();
    return job;
  }
}

function parseIndex(index: string): number {
  if (!/^\d{1,9}$/.test(index)) throw generationNotFound();
  return Number(index);
}
