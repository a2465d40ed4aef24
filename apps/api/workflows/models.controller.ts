import { Controller, Get, Param } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import { WorkflowCatalog } from '#libs/workflows/workflow-catalog.js';
import { WorkflowModels } from '#libs/workflows/workflow-models.js';
import { Answers } from '../http/answers.js';
import type { Page } from '../http/paging.js';
import { CurrentCaller, Policy, type Caller } from '../http/policy.js';
import { ModelAnswer } from './workflow.dto.js';

/** Whether what workflows need is there. */
@ApiTags('Workflows')
@Controller('workflows')
export class ModelsController {
  constructor(
    private readonly catalog: WorkflowCatalog,
    private readonly models: WorkflowModels,
  ) {}

  /**
   * The model files that a workflow names, by the word of the servers that answer, which is believed for 30 s. A
   * submission is refused with `MODEL_UNAVAILABLE` while one that every edition needs is nowhere.
   */
  @Get(':id/models')
  @Policy('public')
  @Answers({ pageOf: ModelAnswer, errors: ['WORKFLOW_NOT_FOUND'] })
  async list(@CurrentCaller() caller: Caller | undefined, @Param('id') id: string): Promise<Page<ModelAnswer>> {
    const workflow = await this.catalog.find(id, caller);
    return { items: await this.models.of(workflow), next_cursor: null };
  }
}
