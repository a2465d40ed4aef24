import { Controller, Param, Post, Req } from '@nestjs/common';
import { ApiBody, ApiTags } from '@nestjs/swagger';
import type { FastifyRequest } from 'fastify';
import { validationError } from '#libs/errors/errors.js';
import { WorkflowTrial, type PreparedTrial } from '#libs/submission/workflow-trial.js';
import { ApiPreferWait, HeldAnswers } from '../generations/held-answers.js';
import { Answers, ApiIdempotencyKey } from '../http/answers.js';
import type { Answer } from '../http/envelope.js';
import { Idempotency } from '../http/idempotency.js';
import { CurrentCaller, Policy, type Caller } from '../http/policy.js';
import { SubmitRate } from '../http/rates.js';
import { readBody } from '../http/submitted-body.js';
import { TestAnswer, TestBody } from '../workflows/workflow.dto.js';

@ApiTags('Workflows')
@Policy('user')
@SubmitRate()
@Controller('workflows')
export class TrialsController {
  constructor(
    private readonly trial: WorkflowTrial,
    private readonly idempotency: Idempotency,
    private readonly held: HeldAnswers,
  ) {}

  /** One generation without a collection, priced and paid like any; with the workflow's `test` variables, or others. */
  @Post(':id/test')
  @ApiIdempotencyKey()
  @ApiPreferWait()
  @ApiBody({ type: TestBody })
  @Answers({
    status: 202,
    data: TestAnswer,
    errors: [
      'VALIDATION_ERROR', 'WORKFLOW_NOT_FOUND', 'WORKFLOW_NOT_EXECUTABLE', 'MODEL_UNAVAILABLE',
      'INSUFFICIENT_CREDITS', 'TOO_MANY_INFLIGHT',
    ],
  })
  async test(
    @Req() request: FastifyRequest,
    @CurrentCaller() caller: Caller,
    @Param('id') id: string,
  ): Promise<Answer> {
    const answer = await this.idempotency.run(
      request,
      caller,
      () => this.prepare(caller, id, request.body),
      (tx, prepared) => this.trial.commit(tx, prepared),
      { status: 202 },
    );
    return this.held.hold(request, caller, answer);
  }

  private async prepare(caller: Caller, id: string, raw: unknown): Promise<PreparedTrial> {
    const { body, faults } = await readBody(TestBody, raw ?? {});
    if (!body) throw validationError(faults);
    return this.trial.prepare(caller, id, body);
  }
}
