import { setTimeout as sleep } from 'node:timers/promises';
import type { ComfyServers, ModelAvailability } from '#libs/comfyui/comfy-servers.js';
import { namedModels, neededModels, type ModelFile, type RequiredModels } from '#libs/comfyui/required-models.js';
import { modelUnavailable } from '#libs/errors/errors.js';
import type { InstructionSet, Step } from '#libs/instruction-set/instruction-set.js';
import { knownFields } from '#libs/instruction-set/known-fields.js';
import { validateVariables } from './form-variables.js';
import type { WorkflowData } from './stored-workflow.js';

/** How long a submission waits for the servers' word. Whoever is silent is not asked again for a while. */
const ANSWER_MS = 2_000;

type Named = { data: Pick<WorkflowData, 'form' | 'required_models'> };
type Steps = Pick<InstructionSet, 'variables'> & { steps: ReadonlyArray<Pick<Step, 'nodeName' | 'nodePayload'>> };

/** The model files that workflows need, and whether they are there, by the word of the servers themselves. */
export class WorkflowModels {
  constructor(private readonly servers: ComfyServers) {}

  /** All that a workflow names, those that only some editions load with them. */
  of({ data }: Named): Promise<ModelAvailability[]> {
    return this.servers.modelsOf(namedModels(requiredBy(data)));
  }

  /**
   * Throws `MODEL_UNAVAILABLE` for what every edition of one of them needs and no server has. While no server
   * answers nobody knows: then it is taken, and waits for one.
   */
  assertAvailable(workflows: Iterable<Named>): Promise<void> {
    return this.assert([...workflows].flatMap(({ data }) => namedModels({ static: requiredBy(data)?.static })));
  }

  /** The same for what the steps of a set choose with their forms' fields, as far as that is known before they run. */
  assertChosen({ steps, variables }: Steps, workflows: ReadonlyMap<string, Named>): Promise<void> {
    return this.assert(
      steps.flatMap(({ nodeName, nodePayload }) => {
        const data = workflows.get(nodeName)?.data;
        if (!data?.required_models) return [];
        const { values } = validateVariables(data.form, knownFields(nodePayload, variables).fields);
        return neededModels(requiredBy(data), {}, values);
      }),
    );
  }

  private async assert(needed: ModelFile[]): Promise<void> {
    if (needed.length === 0) return;
    const lacking = await Promise.race([this.servers.lackedModels(needed), sleep(ANSWER_MS, [], { ref: false })]);
    if (lacking.length > 0) throw modelUnavailable(lacking);
  }
}

const requiredBy = (data: Named['data']): RequiredModels | null => (data.required_models ?? null) as RequiredModels | null;
