import { Controller, Param, Post, Req } from '@nestjs/common';
import { ApiBody, ApiTags } from '@nestjs/swagger';
import type { FastifyRequest } from 'fastify';
import type { FieldFault } from '#libs/errors/app-error.js';
import { collectionNotFound, validationError } from '#libs/errors/errors.js';
import type { JsonObject } from '#libs/instruction-set/instruction-set.js';
import {
  GenerateCollection, type GenerateCollectionRequest, type PartialRequest, type PreparedCollection,
} from '#libs/submission/generate-collection.js';
import {
  GenerateEditions, type GenerateEditionsRequest, type PreparedEditions,
} from '#libs/submission/generate-editions.js';
import { Answers, ApiIdempotencyKey } from '../http/answers.js';
import type { Answer } from '../http/envelope.js';
import { Idempotency } from '../http/idempotency.js';
import { parseUuid } from '../http/ids.js';
import { CurrentCaller, Policy, type Caller } from '../http/policy.js';
import { SubmitRate } from '../http/rates.js';
import { ApiPreferWait, HeldAnswers } from '../generations/held-answers.js';
import { GenerateCollectionBody } from './generate-collection.dto.js';
import { GenerateEditionsBody } from './generate-editions.dto.js';
import { SubmissionAnswer } from './submission.dto.js';
import { readBody } from '../http/submitted-body.js';

@ApiTags('Collections')
@Policy('user')
@SubmitRate()
@Controller()
export class SubmissionsController {
  constructor(
    private readonly generateCollection: GenerateCollection,
    private readonly generateEditions: GenerateEditions,
    private readonly idempotency: Idempotency,
    private readonly held: HeldAnswers,
  ) {}

  /** Makes a collection of a workflow and generates its editions: checked, priced and paid for as a whole. */
  @Post('api/collections/generate')
  @ApiIdempotencyKey()
  @ApiPreferWait()
  @ApiBody({ type: GenerateCollectionBody })
  @Answers({
    status: 201,
    data: SubmissionAnswer,
    errors: [
      'VALIDATION_ERROR', 'WORKFLOW_NOT_FOUND', 'WORKFLOW_NOT_EXECUTABLE', 'MODEL_UNAVAILABLE', 'PROJECT_NOT_FOUND',
      'INSUFFICIENT_CREDITS', 'TOO_MANY_INFLIGHT', 'EDITIONS_EXHAUSTED',
    ],
  })
  async generate(@Req() request: FastifyRequest, @CurrentCaller() caller: Caller): Promise<Answer> {
    const answer = await this.idempotency.runAtOnce(
      request,
      caller,
      () => this.prepareCollection(caller, request.body),
      (prepared, keep) => this.generateCollection.commit(prepared, keep),
    );
    return this.held.hold(request, caller, answer);
  }

  /** Generates editions of a collection that exists. */
  @Post('collections/:id/generations')
  @ApiIdempotencyKey()
  @ApiPreferWait()
  @ApiBody({ type: GenerateEditionsBody })
  @Answers({
    status: 201,
    data: SubmissionAnswer,
    errors: [
      'VALIDATION_ERROR', 'COLLECTION_NOT_FOUND', 'MODEL_UNAVAILABLE', 'INSUFFICIENT_CREDITS',
      'TOO_MANY_INFLIGHT', 'EDITIONS_EXHAUSTED',
    ],
  })
  async generateMore(
    @Req() request: FastifyRequest,
    @CurrentCaller() caller: Caller,
    @Param('id') id: string,
  ): Promise<Answer> {
    const collectionId = parseUuid(id, collectionNotFound);
    const answer = await this.idempotency.run(
      request,
      caller,
      () => this.prepareEditions(caller, collectionId, request.body),
      (tx, prepared) => this.generateEditions.commit(tx, prepared),
    );
    return this.held.hold(request, caller, answer);
  }

  private async prepareEditions(caller: Caller, id: string, raw: unknown): Promise<PreparedEditions> {
    const { body, faults } = await readBody(GenerateEditionsBody, raw);
    if (!body) throw validationError(faults);
    return this.generateEditions.prepare(caller, id, body as GenerateEditionsRequest);
  }

  private async prepareCollection(caller: Caller, raw: unknown): Promise<PreparedCollection> {
    const { body, faults } = await readBody(GenerateCollectionBody, raw);
    if (body) return this.generateCollection.prepare(caller, body as GenerateCollectionRequest);
    const further = await this.generateCollection.furtherFaults(caller, soundPart(raw, faults));
    throw validationError([...faults, ...further]);
  }
}

/** The fields of a faulty body that are sound themselves. */
function soundPart(raw: unknown, faults: FieldFault[]): PartialRequest {
  const isSound = (name: string) => !faults.some(({ field }) => field === name);
  const body = Object(raw) as { workflow_id?: string; variables?: JsonObject; generations?: number };
  return {
    ...(isSound('workflow_id') && isSound('body') && { workflow_id: body.workflow_id as string }),
    ...(isSound('variables') && { variables: body.variables ?? {} }),
    ...(isSound('generations') && { generations: body.generations ?? 1 }),
  };
}
