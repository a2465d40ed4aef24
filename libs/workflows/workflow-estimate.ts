import { costBreakdown, type CostBreakdown, type Pricing } from '#libs/credits/pricing.js';
import type { FieldFault } from '#libs/errors/app-error.js';
import { validationError } from '#libs/errors/errors.js';
import { lanesOf } from '#libs/instruction-set/check.js';
import type { JsonObject } from '#libs/instruction-set/instruction-set.js';
import type { NodeRegistry } from '#libs/nodes/registry.js';
import { validateVariables } from './form-variables.js';
import { maxGenerationsOf, type StoredWorkflow } from './stored-workflow.js';
import type { DurationEstimates } from './workflow-duration.js';

export interface WorkflowEstimate {
  cost_breakdown: CostBreakdown;
  /** Seconds until all of them would be finished. */
  estimated_duration: number;
}

export interface EstimateRequest {
  userId: string;
  variables: JsonObject;
  generations: number;
  /** What is already known to be wrong with the request. */
  faults: FieldFault[];
}

/** What work costs and how long it takes. */
export class WorkflowEstimates {
  constructor(
    readonly durations: DurationEstimates,
    readonly pricing: Pricing,
    private readonly registry: NodeRegistry,
  ) {}

  /** What a submission would cost and take. Throws 400 with every fault of the request. */
  async estimate(
    workflow: StoredWorkflow,
    { userId, variables, generations, faults: found }: EstimateRequest,
  ): Promise<WorkflowEstimate> {
    const { values, faults } = validateVariables(workflow.data.form, variables);
    const all = [...found, ...generationFaults(workflow, generations), ...faults];
    if (all.length > 0) throw validationError(all);
    const price = await this.pricing.priceWorkflow(workflow, values);
    const lane = lanesOf({ steps: workflow.data.pipeline?.steps ?? [] }, this.registry);
    return {
      cost_breakdown: costBreakdown(price, generations),
      estimated_duration: await this.durations.until(workflow, generations, { userId, lane }),
    };
  }
}

function generationFaults({ data }: StoredWorkflow, generations: number): FieldFault[] {
  const max = maxGenerationsOf(data);
  if (generations <= max) return [];
  return [{ field: 'generations', message: `must not be above this workflow's limit of ${max}` }];
}
