import type { Scenario } from '../harness/scenario.js';
import { killWorkers } from './kill-workers.js';

/** Every storm there is, in the order in which `npm run chaos` runs them. */
export const scenarios: Scenario[] = [killWorkers];
