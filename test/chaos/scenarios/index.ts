import type { Scenario } from '../harness/scenario.js';
import { crashSubmission } from './crash-submission.js';
import { faultyNetwork } from './faulty-network.js';
import { halfOpen } from './half-open.js';
import { killWorkers } from './kill-workers.js';
import { poisonStep } from './poison-step.js';
import { postgresRestarts } from './postgres-restarts.js';
import { redisAway } from './redis-away.js';
import { zombies } from './zombies.js';

/** Every storm there is, in the order in which `npm run chaos` runs them. */
export const scenarios: Scenario[] = [
  killWorkers,
  poisonStep,
  redisAway,
  postgresRestarts,
  crashSubmission,
  zombies,
  halfOpen,
  faultyNetwork,
];
