import type { MicroCredits } from '#libs/credits/micro-credits.js';
import { costBreakdown, type CostBreakdown, type Price, type Pricing } from '#libs/credits/pricing.js';
import type { FieldFault } from '#libs/errors/app-error.js';
import { fieldError, validationError } from '#libs/errors/errors.js';
import { lanesOf } from '#libs/instruction-set/check.js';
import type { InstructionSet, JsonObject, Step } from '#libs/instruction-set/instruction-set.js';
import { knownFields } from '#libs/instruction-set/known-fields.js';
import { validateVariables } from './form-variables.js';
import { inputForm } from './input-form.js';
import type { StepNodes, StepWorkflows } from './step-workflows.js';
import { authorOf, maxGenerationsOf, type StoredWorkflow, type WorkflowVersion } from './stored-workflow.js';
import { stepsOf } from './to-instruction-set.js';
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
    const { values, faults } = validateVariables(inputForm(workflow), variables);
    const all = [...found, ...generationFaults(workflow, generations), ...faults];
    if (all.length > 0) throw validationError(all);
    const set = stepsOf(workflow, values);
    const nodes = await this.stepWorkflows.find(set.steps, authorOf(workflow), [workflow]);
    const price = await this.priceWorkflow(workflow, values, set, nodes);
    const lane = lanesOf(set, nodes.registry);
    return {
      cost_breakdown: costBreakdown(price, generations),
      estimated_duration: await this.durations.until(workflow, generations, { userId, lane }),
    };
  }

  /**
   * Of a workflow for a form's values, and never below what the `set` that is made of it costs. Throws 400 when a
   * script fails, or cannot know what it prices.
   */
  async priceWorkflow(
    workflow: WorkflowVersion,
    values: JsonObject,
    set: Steps,
    nodes: StepNodes,
  ): Promise<Price> {
    const isItself = ({ nodeName }: Step) => nodes.workflows.get(nodeName)?.id === workflow.id;
    const own = set.steps.some(isItself) ? this.pricing.floorOf(workflow, values) : 0n;
    const others = { ...set, steps: set.steps.filter((step) => !isItself(step)) };
    return this.pricing.priceWorkflow(workflow, values, own + (await this.priceOfSteps(others, nodes)));
  }

  /** Of a set that was written by hand. */
  async priceSet(set: Steps, nodes: StepNodes): Promise<Price> {
    return { base: 0n, perGeneration: await this.priceOfSteps(set, nodes) };
  }

  /** What built-in nodes cost and stored workflows ask for one generation. */
  private async priceOfSteps(set: Steps, { workflows }: StepNodes): Promise<MicroCredits> {
    let sum = this.pricing.sumOf(set);
    for (const [index, { nodeName, nodePayload }] of set.steps.entries()) {
      const workflow = workflows.get(nodeName);
      if (!workflow) continue;
      const { fields, unknown } = knownFields(nodePayload, set.variables);
      const [first] = unknown;
      if (first !== undefined && typeof workflow.data.credits === 'string') {
        throw fieldError(`data.steps[${index}].nodePayload.${first}`, 'must be known before the step runs: it is priced by a script');
      }
      const { values } = validateVariables(inputForm(workflow), fields);
      const { base, perGeneration } = await this.pricing.priceWorkflow(workflow, values);
      sum += base + perGeneration;
    }
    return sum;
  }
}

type Steps = Pick<InstructionSet, 'steps' | 'variables'>;

function generationFaults({ data }: StoredWorkflow, generations: number): FieldFault[] {
  const max = maxGenerationsOf(data);
  if (generations <= max) return [];
  return [{ field: 'generations', message: `must not be above this workflow's limit of ${max}` }];
}
