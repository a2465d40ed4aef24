import type { MicroCredits } from '#libs/credits/micro-credits.js';
import { costBreakdown, type CostBreakdown, type Price, type Pricing } from '#libs/credits/pricing.js';
import type { FieldFault } from '#libs/errors/app-error.js';
import { validationError } from '#libs/errors/errors.js';
import { lanesOf } from '#libs/instruction-set/check.js';
import type { InstructionSet, JsonObject, Step, Variables } from '#libs/instruction-set/instruction-set.js';
import { knownFields } from '#libs/instruction-set/known-fields.js';
import { validateVariables } from './form-variables.js';
import type { StepNodes, StepWorkflows } from './step-workflows.js';
import { authorOf, maxGenerationsOf, type StoredWorkflow, type WorkflowVersion } from './stored-workflow.js';
import { pipelineOf } from './to-instruction-set.js';
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
    private readonly pricing: Pricing,
    private readonly stepWorkflows: StepWorkflows,
  ) {}

  /** What a submission would cost and take. Throws 400 with every fault of the request. */
  async estimate(
    workflow: StoredWorkflow,
    { userId, variables, generations, faults: found }: EstimateRequest,
  ): Promise<WorkflowEstimate> {
    const { values, faults } = validateVariables(workflow.data.form, variables);
    const all = [...found, ...generationFaults(workflow, generations), ...faults];
    if (all.length > 0) throw validationError(all);
    const { steps } = pipelineOf(workflow);
    const nodes = await this.stepWorkflows.find(steps, authorOf(workflow), [workflow]);
    const price = await this.priceWorkflow(workflow, values, nodes);
    const lane = lanesOf({ steps }, nodes.registry);
    return {
      cost_breakdown: costBreakdown(price, generations),
      estimated_duration: await this.durations.until(workflow, generations, { userId, lane }),
    };
  }

  /** Of a workflow for a form's values. Throws 400 when its script, or that of one among its steps, fails. */
  async priceWorkflow(workflow: WorkflowVersion, values: JsonObject, nodes: StepNodes): Promise<Price> {
    const { steps } = pipelineOf(workflow);
    const others = steps.filter(({ nodeName }) => nodes.workflows.get(nodeName)?.id !== workflow.id);
    return this.pricing.priceWorkflow(workflow, values, await this.priceOfWorkflows(others, values, nodes));
  }

  /** Of a set that was written by hand. */
  async priceSet(set: Pick<InstructionSet, 'steps' | 'variables'>, nodes: StepNodes): Promise<Price> {
    return this.pricing.priceInstructionSet(set, await this.priceOfWorkflows(set.steps, set.variables, nodes));
  }

  /**
   * What the stored workflows among steps ask for one generation. Of fields that are known only once the step
   * runs, the form's defaults count.
   */
  private async priceOfWorkflows(
    steps: readonly Step[],
    variables: Variables,
    { workflows }: StepNodes,
  ): Promise<MicroCredits> {
    let sum = 0n;
    for (const { nodeName, nodePayload } of steps) {
      const workflow = workflows.get(nodeName);
      if (!workflow) continue;
      const { values } = validateVariables(workflow.data.form, knownFields(nodePayload, variables));
      const { base, perGeneration } = await this.pricing.priceWorkflow(workflow, values);
      sum += base + perGeneration;
    }
    return sum;
  }
}

function generationFaults({ data }: StoredWorkflow, generations: number): FieldFault[] {
  const max = maxGenerationsOf(data);
  if (generations <= max) return [];
  return [{ field: 'generations', message: `must not be above this workflow's limit of ${max}` }];
}
