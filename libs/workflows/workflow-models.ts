import type { ComfyServers, ModelAvailability } from '#libs/comfyui/comfy-servers.js';
import { namedModels, type RequiredModels } from '#libs/comfyui/required-models.js';
import { modelUnavailable } from '#libs/errors/errors.js';
import type { WorkflowData } from './stored-workflow.js';

type Named = { data: Pick<WorkflowData, 'required_models'> };

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
  async assertAvailable(workflows: Iterable<Named>): Promise<void> {
    const needed = [...workflows].flatMap(({ data }) => namedModels({ static: requiredBy(data)?.static }));
    if (needed.length === 0) return;
    const lacking = (await this.servers.modelsOf(needed)).filter(({ available }) => !available);
    if (lacking.length > 0 && this.servers.isKnown) throw modelUnavailable(lacking);
  }
}

const requiredBy = (data: Named['data']): RequiredModels | null => (data.required_models ?? null) as RequiredModels | null;
