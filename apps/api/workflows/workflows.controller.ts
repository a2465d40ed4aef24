import { Controller, Delete, Get, Param, Post, Put, Query, Req } from '@nestjs/common';
import { ApiBody, ApiTags } from '@nestjs/swagger';
import type { FastifyRequest } from 'fastify';
import { Database } from '#libs/database/database.js';
import { validationError } from '#libs/errors/errors.js';
import type { JsonObject } from '#libs/instruction-set/instruction-set.js';
import type { WorkflowInput } from '#libs/workflows/stored-workflow.js';
import { withoutOptions } from '#libs/workflows/form-options.js';
import { workflowKindOf } from '#libs/workflows/kinds/index.js';
import { WorkflowCatalog, type WorkflowKey } from '#libs/workflows/workflow-catalog.js';
import { WorkflowCheck } from '#libs/workflows/workflow-check.js';
import { WorkflowEstimates } from '#libs/workflows/workflow-estimate.js';
import { WorkflowPrices } from '#libs/workflows/workflow-prices.js';
import { summarizeWorkflows, viewWorkflows } from '#libs/workflows/workflow-views.js';
import { readBody } from '../http/submitted-body.js';
import { Answers, ApiIdempotencyKey } from '../http/answers.js';
import type { Answer } from '../http/envelope.js';
import { Idempotency } from '../http/idempotency.js';
import { readCursor, toPage, type Page } from '../http/paging.js';
import { CurrentCaller, Policy, type Caller } from '../http/policy.js';
import {
  CreateWorkflowBody, EstimateAnswer, EstimateBody, WorkflowAnswer, WorkflowQuery,
} from './workflow.dto.js';

/** Stored workflows: what can be made, with what form and for what price. */
@ApiTags('Workflows')
@Controller('workflows')
export class WorkflowsController {
  constructor(
    private readonly catalog: WorkflowCatalog,
    private readonly check: WorkflowCheck,
    private readonly estimates: WorkflowEstimates,
    private readonly prices: WorkflowPrices,
    private readonly database: Database,
    private readonly idempotency: Idempotency,
  ) {}

  /**
   * Public workflows, and with a token the caller's own as well, newest first. Of a form only a summary (`data`
   * is `{ form: { fields: [{ id, name, type, required }] }, estimated_duration }`, the first 50 fields, and
   * `form_schema` says no more than that it is an object): `GET /workflows/:id` has all of it.
   */
  @Get()
  @Policy('public')
  @Answers({ pageOf: WorkflowAnswer, errors: ['VALIDATION_ERROR'] })
  async list(
    @CurrentCaller() caller: Caller | undefined,
    @Query() { limit, cursor, ...filter }: WorkflowQuery,
  ): Promise<Page<WorkflowAnswer>> {
    const after = readCursor(cursor, ['time', 'uuid']) as WorkflowKey | null;
    const rows = await this.catalog.list(caller, filter, { limit, after });
    const { items, next_cursor } = toPage(rows, limit, ({ created_at_text, id }) => [created_at_text, id]);
    return { items: await summarizeWorkflows(this.database, this.prices, items), next_cursor };
  }

  /** One, with its form. */
  @Get(':id')
  @Policy('public')
  @Answers({ data: WorkflowAnswer, errors: ['WORKFLOW_NOT_FOUND'] })
  async find(@CurrentCaller() caller: Caller | undefined, @Param('id') id: string): Promise<WorkflowAnswer> {
    const workflow = await this.catalog.find(id, caller);
    const [view] = await viewWorkflows(this.database, this.prices, [workflow], caller);
    return view as WorkflowAnswer;
  }

  /** The same, by the name that steps know it by. */
  @Get('name/:name')
  @Policy('public')
  @Answers({ data: WorkflowAnswer, errors: ['WORKFLOW_NOT_FOUND'] })
  async findByName(
    @CurrentCaller() caller: Caller | undefined,
    @Param('name') name: string,
  ): Promise<WorkflowAnswer> {
    const workflow = await this.catalog.findByName(name, caller);
    const [view] = await viewWorkflows(this.database, this.prices, [workflow], caller);
    return view as WorkflowAnswer;
  }

  /** Stores a workflow, checked as a whole. Takes an `Idempotency-Key`. */
  @Post()
  @Policy('user')
  @ApiBody({ type: CreateWorkflowBody })
  @ApiIdempotencyKey()
  @Answers({ status: 201, data: WorkflowAnswer, errors: ['VALIDATION_ERROR', 'NAME_TAKEN'] })
  create(@Req() request: FastifyRequest, @CurrentCaller() caller: Caller): Promise<Answer> {
    return this.idempotency.run(
      request,
      caller,
      () => this.checked(request.body, caller),
      async (tx, input) => {
        const workflow = await this.catalog.create(tx, caller, input);
        const [view] = await viewWorkflows(tx, this.prices, [workflow], caller);
        return view;
      },
    );
  }

  /**
   * Saves the whole of one's own workflow (admins: anyone's) as its next version. Jobs that were submitted go on
   * with the version they were submitted with, and so do collections that were made of it.
   */
  @Put(':id')
  @Policy('user')
  @ApiBody({ type: CreateWorkflowBody })
  @Answers({
    data: WorkflowAnswer, errors: ['VALIDATION_ERROR', 'WORKFLOW_NOT_FOUND', 'FORBIDDEN', 'NAME_TAKEN'],
  })
  async replace(
    @CurrentCaller() caller: Caller,
    @Param('id') id: string,
    @Req() { body }: FastifyRequest,
  ): Promise<WorkflowAnswer> {
    await this.catalog.find(id, caller);
    const input = await this.checked(body, caller);
    const workflow = await this.database.transaction((tx) => this.catalog.replace(tx, id, caller, input));
    const [view] = await viewWorkflows(this.database, this.prices, [workflow], caller);
    return view as WorkflowAnswer;
  }

  /** Removes one's own workflow (admins: anyone's) and frees its name. What was made of it stays, and goes on. */
  @Delete(':id')
  @Policy('user')
  @Answers({ errors: ['WORKFLOW_NOT_FOUND', 'FORBIDDEN'] })
  async delete(@CurrentCaller() caller: Caller, @Param('id') id: string): Promise<void> {
    await this.database.transaction((tx) => this.catalog.delete(tx, id, caller));
  }

  /** What a submission would cost and take. Writes nothing. */
  @Post(':id/estimate')
  @Policy('user')
  @ApiBody({ type: EstimateBody })
  @Answers({ data: EstimateAnswer, errors: ['VALIDATION_ERROR', 'WORKFLOW_NOT_FOUND'] })
  async estimate(
    @CurrentCaller() caller: Caller,
    @Param('id') id: string,
    @Req() request: FastifyRequest,
  ): Promise<EstimateAnswer> {
    const workflow = await this.catalog.find(id, caller);
    const { body, faults } = await readBody(EstimateBody, request.body);
    return this.estimates.estimate(workflow, {
      userId: caller.userId,
      variables: variablesIn(request.body),
      generations: body?.generations ?? 1,
      faults: faults ?? [],
    });
  }

  /** Faults of the fields and of what the workflow would do are told together. */
  private async checked(raw: unknown, author: Caller): Promise<WorkflowInput> {
    const { body, faults } = await readBody(CreateWorkflowBody, raw);
    const found = await this.check.faultsOf(body ?? (isObject(raw) ? raw : {}), author);
    const named = new Set(faults?.map(({ field }) => field));
    const all = [...(faults ?? []), ...found.filter(({ field }) => !named.has(field))];
    if (all.length > 0) throw validationError(all);
    const input = body as unknown as WorkflowInput;
    const data = { ...input.data, form: withoutOptions(input.data.form) };
    return { ...input, type: workflowKindOf(input).name, data: input.data.form ? data : input.data };
  }
}

const isObject = (value: unknown): value is JsonObject =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** Read from the raw body, so that their faults are told together with those of other fields. */
const variablesIn = (raw: unknown): JsonObject =>
  isObject(raw) && isObject(raw['variables']) ? raw['variables'] : {};
