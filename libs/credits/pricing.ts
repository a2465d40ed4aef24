import type { Environment } from '#libs/config/environment.js';
import { fieldError } from '#libs/errors/errors.js';
import type { Json, JsonObject, Step, Variables } from '#libs/instruction-set/instruction-set.js';
import { knownFields } from '#libs/instruction-set/known-fields.js';
import { normalizeNodeName, type NodeRegistry } from '#libs/nodes/registry.js';
import type { ScriptSandbox } from '#libs/sandbox/script-sandbox.js';
import { computeCost, CreditScriptError } from './credit-script.js';
import { toCredits, toMicroCredits, type MicroCredits } from './micro-credits.js';

/** What a submission costs: `base` once, `perGeneration` for each generation. */
export interface Price {
  base: MicroCredits;
  perGeneration: MicroCredits;
}

/** What clients are told before they choose variables, in credits. */
export interface PriceRange {
  base: number;
  per_generation: { min: number; max: number };
}

/** `cost_breakdown` of answers, in credits: total = base + per generation × generations. */
export interface CostBreakdown {
  total_credits: number;
  per_generation: number;
  workflow_base_cost: number;
}

/** A fixed price, in credits. */
export interface FixedPrice {
  base?: number;
  per_generation: number;
}

/** What of a stored workflow makes its price. */
export interface PricedWorkflow {
  /** Its type's node may have a price of its own. */
  type: string;
  data: {
    /** A fixed price, or a script that defines `computeCost(context)`. Absent: the sum of the steps. */
    credits?: string | FixedPrice | null;
    pipeline?: { steps: PricedStep[]; variables?: Variables };
  };
  /** An admin's price may lie below what the steps cost. */
  saved_by_admin: boolean;
}

type PricedStep = Pick<Step, 'nodeName' | 'nodePayload'>;

export interface PricedSteps {
  steps: readonly PricedStep[];
  variables: Variables;
}

/** A model's version alone, as providers name it. */
const VERSION = /^[0-9a-f]{64}$/;
/** Credits of a model that the operator's price list does not name. */
const MODEL_PRICE = 1;
/** Nodes that may ask a model: then its price counts beside the node's own. */
const MODEL_NODES = new Set(['prompt', 'replicate']);

/** The price rules: a workflow's own price, a set's sum of steps, and the floor below the former. */
export class Pricing {
  private readonly nodePrices: Map<string, number>;
  private readonly modelPrices: Map<string, number>;
  private readonly ranges = new WeakMap<PricedWorkflow['data'], Promise<PriceRange>>();

  constructor(
    environment: Pick<Environment, 'NODE_PRICES' | 'MODEL_PRICES'>,
    private readonly registry: NodeRegistry,
    private readonly sandbox: ScriptSandbox,
  ) {
    const prices = Object.entries(environment.NODE_PRICES ?? {});
    this.nodePrices = new Map(prices.map(([name, price]) => [this.canonicalName(name), price]));
    const models = Object.entries(environment.MODEL_PRICES ?? {});
    this.modelPrices = new Map(models.map(([name, price]) => [name.toLowerCase(), price]));
  }

  /**
   * The price of a workflow for a form's `values`, by its script or its fixed price, but per generation never
   * below `floor`, what its steps cost, unless an admin saved it. Throws 400 on `variables` when its script fails.
   */
  async priceWorkflow(
    workflow: PricedWorkflow,
    values: JsonObject,
    floor = this.floorOf(workflow, values),
  ): Promise<Price> {
    try {
      return await this.ownPrice(workflow, values, floor);
    } catch (error) {
      if (!(error instanceof CreditScriptError)) throw error;
      throw fieldError('variables', `have no price: ${error.message}`);
    }
  }

  /** What a set's built-in nodes and their models cost for one generation. */
  sumOf({ steps, variables }: PricedSteps): MicroCredits {
    return steps.reduce((sum, step) => sum + toMicroCredits(this.stepPrice(step, variables)), 0n);
  }

  /** A workflow that is one step costs what the node of its type does. */
  floorOf({ type, data }: PricedWorkflow, values: JsonObject): MicroCredits {
    const { steps, variables = {} } = data.pipeline ?? { steps: [{ nodeName: type, nodePayload: {} }] };
    return this.sumOf({ steps, variables: Array.isArray(variables) ? variables : { ...variables, ...values } });
  }

  /**
   * What a generation costs at least and at most for the `samples` (a form's defaults, `test` variables): a
   * script may ask another price for other variables. Kept for as long as the workflow's data is.
   */
  priceRange(workflow: PricedWorkflow, samples: JsonObject[]): Promise<PriceRange> {
    const known = this.ranges.get(workflow.data);
    if (known) return known;
    const range = this.rangeOf(workflow, samples);
    this.ranges.set(workflow.data, range);
    // A failure of the moment is not kept.
    range.catch(() => this.ranges.delete(workflow.data));
    return range;
  }

  private async rangeOf(workflow: PricedWorkflow, samples: JsonObject[]): Promise<PriceRange> {
    const prices: Price[] = [];
    for (const values of samples) {
      const price = await this.ownPrice(workflow, values, this.floorOf(workflow, values)).catch(ignoreScriptFailure);
      if (price) prices.push(price);
    }
    if (prices.length === 0) prices.push({ base: 0n, perGeneration: this.floorOf(workflow, {}) });
    const credits = prices.map(({ perGeneration }) => toCredits(perGeneration));
    return {
      base: toCredits((prices[0] as Price).base),
      per_generation: { min: Math.min(...credits), max: Math.max(...credits) },
    };
  }

  private async ownPrice(workflow: PricedWorkflow, values: JsonObject, floor: MicroCredits): Promise<Price> {
    const { data, saved_by_admin } = workflow;
    if (data.credits === undefined || data.credits === null) return { base: 0n, perGeneration: floor };
    const { base = 0, per_generation } = await this.askedPrice(data.credits, values);
    const asked = toMicroCredits(per_generation);
    return { base: toMicroCredits(base), perGeneration: saved_by_admin || asked > floor ? asked : floor };
  }

  private async askedPrice(credits: string | FixedPrice, values: JsonObject): Promise<FixedPrice> {
    if (typeof credits !== 'string') return credits;
    const { cost } = await computeCost(this.sandbox, credits, values);
    return { per_generation: cost };
  }

  private stepPrice({ nodeName, nodePayload }: PricedStep, variables: Variables): number {
    const node = this.canonicalName(nodeName);
    return (this.nodePrices.get(node) ?? 0) + (MODEL_NODES.has(node) ? this.modelPrice(nodePayload, variables) : 0);
  }

  /** A model that is known only when the step runs may be any of the list: the dearest counts. */
  private modelPrice({ model, version }: JsonObject, variables: Variables): number {
    const named = { ...(model !== undefined && { model }), ...(version !== undefined && { version }) };
    if (Object.keys(named).length === 0) return 0;
    const { fields, unknown } = knownFields(named, variables);
    if (unknown.length > 0) return Math.max(MODEL_PRICE, ...this.modelPrices.values());
    return Math.max(...Object.values(fields).map((name) => this.listedPrice(name)));
  }

  /** By its full name, else by its model's. A bare version tells no model. */
  private listedPrice(name: Json): number {
    const full = String(name).toLowerCase();
    const [modelName = ''] = full.split(':');
    const listed = this.modelPrices.get(full) ?? this.modelPrices.get(modelName);
    return listed ?? (VERSION.test(full) ? Math.max(MODEL_PRICE, ...this.modelPrices.values()) : MODEL_PRICE);
  }

  /** One spelling for a node's name and its aliases. */
  private canonicalName(name: string): string {
    return normalizeNodeName(this.registry.find(name)?.name ?? name);
  }
}

/** Scripts were tried when they were saved: one that fails now, on a busy machine, must not empty a list. */
function ignoreScriptFailure(error: unknown): undefined {
  if (!(error instanceof CreditScriptError)) throw error;
}

export const totalPrice = ({ base, perGeneration }: Price, generations: number): MicroCredits =>
  base + perGeneration * BigInt(generations);

export const costBreakdown = (price: Price, generations: number): CostBreakdown => ({
  total_credits: toCredits(totalPrice(price, generations)),
  per_generation: toCredits(price.perGeneration),
  workflow_base_cost: toCredits(price.base),
});
