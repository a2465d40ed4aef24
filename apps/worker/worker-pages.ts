import type { INestApplicationContext } from '@nestjs/common';
import { BackingReadiness } from '#libs/backing-services/readiness.js';
import { LOGGER } from '#libs/backing-services/logger.js';
import { Environment } from '#libs/config/environment.js';
import { Plans } from '#libs/credits/plans.js';
import { Database } from '#libs/database/database.js';
import { createAccessTokens } from '#libs/identity/access-tokens.js';
import { Accounts } from '#libs/identity/accounts.js';
import { ApiKeys } from '#libs/identity/api-keys.js';
import { Identity } from '#libs/identity/identity.js';
import { OperatorAccess } from '#libs/identity/operator-access.js';
import { Metrics } from '#libs/metrics/metrics.js';
import { jsonPage, metricsPage, startOperatorsServer, type OperatorsServer } from '#libs/metrics/operators-server.js';
import { GenerationWorker } from './generation-worker.js';
import { WorkerHealth } from './worker-health.js';

/** A worker's probes and metrics on `WORKER_PORT`; nothing without one. */
export async function startWorkerPages(worker: INestApplicationContext): Promise<OperatorsServer | undefined> {
  const { HOST: host, WORKER_PORT: port } = worker.get(Environment);
  if (port === undefined) return undefined;
  const [metrics, access] = [worker.get(Metrics), accessTo(worker)];
  const { pulse } = worker.get(GenerationWorker);
  const health = new WorkerHealth(pulse, worker.get(BackingReadiness), worker.get(LOGGER));
  return startOperatorsServer(
    { host, port },
    {
      '/health/live': async () => jsonPage(health.live()),
      '/health/ready': async () => jsonPage(await health.ready()),
      '/metrics': (authorization) => metricsPage(metrics, access, authorization),
    },
  );
}

/** The same people as at the API. */
function accessTo(worker: INestApplicationContext): OperatorAccess {
  const [environment, database] = [worker.get(Environment), worker.get(Database)];
  const accounts = new Accounts(database, worker.get(Plans));
  const identity = new Identity(createAccessTokens(environment), new ApiKeys(database), accounts);
  return new OperatorAccess(identity, environment.METRICS_TOKEN);
}
