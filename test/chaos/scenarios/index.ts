import type { Scenario } from '../harness/scenario.js';
import { cancels } from './cancels.js';
import { crashControl } from './crash-control.js';
import { crashSubmission } from './crash-submission.js';
import { faultyNetwork } from './faulty-network.js';
import { fuzz } from './fuzz.js';
import { halfOpen } from './half-open.js';
import { inFlight } from './in-flight.js';
import { killWorkers } from './kill-workers.js';
import { lastCredit } from './last-credit.js';
import { ledgerAudit } from './ledger-audit.js';
import { ledger } from './ledger.js';
import { poisonStep } from './poison-step.js';
import { postgresRestarts } from './postgres-restarts.js';
import { predictions } from './predictions.js';
import { redisAway } from './redis-away.js';
import { sameKey } from './same-key.js';
import { shutdown } from './shutdown.js';
import { storageFaults } from './storage-faults.js';
import { streams } from './streams.js';
import { zombies } from './zombies.js';

/** Every storm there is, in the order in which `npm run chaos` runs them. */
export const scenarios: Scenario[] = [
  killWorkers,
  poisonStep,
  redisAway,
  postgresRestarts,
  crashSubmission,
  crashControl,
  zombies,
  halfOpen,
  faultyNetwork,
  storageFaults,
  cancels,
  streams,
  shutdown,
  lastCredit,
  sameKey,
  inFlight,
  predictions,
  ledger,
  ledgerAudit,
  fuzz,
];
