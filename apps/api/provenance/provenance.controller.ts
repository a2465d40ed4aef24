import { Controller, Get, Param, Post, Req } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import type { FastifyRequest } from 'fastify';
import { Environment } from '#libs/config/environment.js';
import { notFound } from '#libs/errors/errors.js';
import { Provenances } from '#libs/provenance/provenance.js';
import { RerenderVerdicts } from '#libs/provenance/rerender-verdict.js';
import { Rerenders } from '#libs/provenance/rerender.js';
import { ApiPreferWait, HeldAnswers } from '../generations/held-answers.js';
import { Answers, ApiIdempotencyKey } from '../http/answers.js';
import type { Answer } from '../http/envelope.js';
import { Idempotency } from '../http/idempotency.js';
import { parseNumericId, parseUuid } from '../http/ids.js';
import { CurrentCaller, Policy, type Caller } from '../http/policy.js';
import { SubmitRate } from '../http/rates.js';
import { Turns } from '../http/turns.js';
import { ProvenanceAnswer, RerenderAnswer } from './provenance.dto.js';

/** A comparison reads a whole file. */
const COMPARISONS_PER_USER = 4;
const assetNotFound = () => notFound('Asset');
const rerenderNotFound = () => notFound('Rerender');

/** What made a file, and whether it comes out the same again. */
@ApiTags('Assets')
@Controller('assets/:id')
export class ProvenanceController {
  private readonly waitSeconds: number;
  private readonly comparing = new Turns(COMPARISONS_PER_USER);

  constructor(
    private readonly provenances: Provenances,
    private readonly rerenders: Rerenders,
    private readonly verdicts: RerenderVerdicts,
    private readonly idempotency: Idempotency,
    private readonly held: HeldAnswers,
    { RERENDER_WAIT_SECONDS }: Environment,
  ) {
    this.waitSeconds = RERENDER_WAIT_SECONDS;
  }

  /**
   * Everything that made a file: its hash, variables, the steps with their nodes, payloads, inputs and what they were
   * made with, job, workflow and times. Strangers see of a published one what its public view tells.
   */
  @Get('provenance')
  @Policy('public')
  @Answers({ data: ProvenanceAnswer, errors: ['NOT_FOUND'] })
  async provenance(@CurrentCaller() caller: Caller | undefined, @Param('id') id: string): Promise<ProvenanceAnswer> {
    const found = await this.provenances.find(caller, parseNumericId(id, assetNotFound));
    if (!found) throw assetNotFound();
    return found;
  }

  /**
   * Makes one's own file again with exactly what made it, on the workers, and says whether the bytes are equal to
   * those in storage. It is a job of its own, priced as the generation was; the old file stays untouched. The answer
   * waits some seconds for its end (`RERENDER_WAIT_SECONDS`), or as long as `Prefer` says; `urls.rerender_url` has the verdict later. Steps that asked
   * somebody outside are not asked again: before the file's own step, what they gave counts as it was recorded, and
   * a file that such a step made itself is refused with `NOT_REPEATABLE` before anything is held.
   */
  @Post('rerender')
  @Policy('user')
  @SubmitRate()
  @ApiIdempotencyKey()
  @ApiPreferWait()
  @Answers({
    status: 202,
    data: RerenderAnswer,
    errors: [
      'NOT_FOUND', 'NOT_REPEATABLE', 'INSUFFICIENT_CREDITS', 'TOO_MANY_INFLIGHT', 'IDEMPOTENCY_IN_PROGRESS',
      'IDEMPOTENCY_KEY_REUSED',
    ],
  })
  async rerender(
    @Req() request: FastifyRequest,
    @CurrentCaller() { userId, ...caller }: Caller,
    @Param('id') id: string,
  ): Promise<Answer> {
    const assetId = parseNumericId(id, assetNotFound);
    const answer = await this.idempotency.run(
      request,
      { userId, ...caller },
      () => this.rerenders.prepare(userId, assetId),
      async (tx, prepared) => {
        await this.rerenders.commit(tx, prepared);
        return this.verdicts.find(userId, assetId, prepared.job.id, tx);
      },
      { status: 202 },
    );
    const { job_id } = answer.data<{ job_id: string }>();
    return this.held.untilEnd(request, answer, job_id, () => this.verdict(userId, assetId, job_id), this.waitSeconds);
  }

  /** What came of a re-render of one's own file. */
  @Get('rerenders/:jobId')
  @Policy('user')
  @Answers({ data: RerenderAnswer, errors: ['NOT_FOUND'] })
  find(
    @CurrentCaller() { userId }: Caller,
    @Param('id') id: string,
    @Param('jobId') jobId: string,
  ): Promise<RerenderAnswer> {
    return this.verdict(userId, parseNumericId(id, assetNotFound), parseUuid(jobId, rerenderNotFound));
  }

  private async verdict(userId: string, assetId: string, jobId: string): Promise<RerenderAnswer> {
    const view = await this.comparing.take(userId, () => this.verdicts.find(userId, assetId, jobId));
    return view as RerenderAnswer;
  }
}
