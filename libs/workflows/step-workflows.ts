import { LRUCache } from 'lru-cache';
import type { Caller } from '#libs/identity/caller.js';
import type { InstructionSet, Step, WorkflowPin } from '#libs/instruction-set/instruction-set.js';
import type { NodeDefinition } from '#libs/nodes/node.js';
import type { NodeRegistry } from '#libs/nodes/registry.js';
import type { WorkflowVersion } from './stored-workflow.js';
import type { WorkflowCatalog } from './workflow-catalog.js';
import type { WorkflowModels } from './workflow-models.js';
import { workflowNode, type SecretReader } from './workflow-node.js';

/** Workflows kept as nodes. */
const KEPT_NODES = 500;

/** What the steps of a set may name: the built-in nodes, and the stored workflows among their names. */
export interface StepNodes {
  registry: NodeRegistry;
  /** Those workflows, by name. */
  workflows: ReadonlyMap<string, WorkflowVersion>;
}

type ModelCheck = Pick<WorkflowModels, 'assertAvailable' | 'assertChosen'>;
const NO_MODELS: ModelCheck = { assertAvailable: async () => undefined, assertChosen: async () => undefined };

/** Stored workflows as steps. */
export class StepWorkflows {
  private readonly nodes = new LRUCache<string, NodeDefinition>({ max: KEPT_NODES });

  /**
   * `bucket`: where files are stored, for mappings that name it. `secrets`: only steps that run read them;
   * `models`: only submissions ask for them.
   */
  constructor(
    private readonly catalog: WorkflowCatalog,
    private readonly builtIn: NodeRegistry,
    private readonly bucket = '',
    private readonly secrets: SecretReader = { reveal: async () => null },
    private readonly models: ModelCheck = NO_MODELS,
  ) {}

  /**
   * For steps that are submitted: the newest version of each workflow that `caller` may use, but those that are
   * `known` already. A name that is nobody's is not there.
   */
  async find(
    steps: ReadonlyArray<Pick<Step, 'nodeName'>>,
    caller: Caller | undefined,
    known: readonly WorkflowVersion[] = [],
  ): Promise<StepNodes> {
    const taken = new Set(known.map(({ name }) => name));
    const names = [...new Set(steps.map(({ nodeName }) => nodeName))]
      .filter((name) => !taken.has(name) && !this.builtIn.find(name));
    const found = names.length === 0 ? [] : await this.catalog.findNamed(names, caller);
    return this.nodesOf([...known, ...found]);
  }

  /** For steps that run: the versions they were submitted with. */
  async pinned({ workflows = {} }: Pick<InstructionSet, 'workflows'>): Promise<NodeRegistry> {
    const nodes: Array<NodeDefinition | undefined> = [];
    for (const pin of Object.values(workflows)) {
      nodes.push(this.nodes.get(keyOf(pin)) ?? this.nodeOf(await this.catalog.version(pin.id, pin.version)));
    }
    return this.registryOf(nodes);
  }

  /** Throws `MODEL_UNAVAILABLE` when the workflow always needs a model that no server has. */
  assertModelsOf(workflow: WorkflowVersion): Promise<void> {
    return this.models.assertAvailable([workflow]);
  }

  /** Throws `MODEL_UNAVAILABLE` when a step of the set needs a model that no server has. */
  async assertModels(set: Pick<InstructionSet, 'steps' | 'variables'>, { workflows }: StepNodes): Promise<void> {
    await this.models.assertAvailable(workflows.values());
    await this.models.assertChosen(set, workflows);
  }

  nodesOf(workflows: readonly WorkflowVersion[]): StepNodes {
    return {
      registry: this.registryOf(workflows.map((workflow) => this.nodeOf(workflow))),
      workflows: new Map(workflows.map((workflow) => [workflow.name, workflow])),
    };
  }

  private registryOf(nodes: Array<NodeDefinition | undefined>): NodeRegistry {
    return this.builtIn.with(nodes.filter((node) => node !== undefined));
  }

  private nodeOf(workflow: WorkflowVersion): NodeDefinition | undefined {
    const node = this.nodes.get(keyOf(workflow)) ?? workflowNode(workflow, this.builtIn, this.bucket, this.secrets);
    if (node) this.nodes.set(keyOf(workflow), node);
    return node;
  }
}

/** The steps of an unchecked set that name a node. */
export function namedSteps(set: unknown): Array<Pick<Step, 'nodeName'>> {
  const { steps } = Object(set) as { steps?: unknown };
  return Array.isArray(steps) ? steps.filter((step) => typeof Object(step).nodeName === 'string') : [];
}

/** With its options a workflow is a node of its own: where it is pinned it has none. */
const keyOf = ({ id, version, optionsAsOf = '' }: WorkflowPin & { optionsAsOf?: string }): string =>
  `${id}:${version}:${optionsAsOf}`;

/** The set with the versions of the workflows that its steps name: what a job keeps. */
export function withPins(set: InstructionSet, workflows: ReadonlyMap<string, WorkflowVersion>): InstructionSet {
  const pins: Record<string, WorkflowPin> = {};
  for (const { nodeName } of set.steps) {
    const workflow = workflows.get(nodeName);
    if (workflow) pins[nodeName] = { id: workflow.id, version: workflow.version };
  }
  return Object.keys(pins).length === 0 ? set : { ...set, workflows: pins };
}
