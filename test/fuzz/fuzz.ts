import fc from 'fast-check';
import type { TestApi } from '../setup/api.js';
import { createUser } from '../factories/job-submission.js';
import { credentialsOf } from '../api/callers.js';
import { call, outcomeOf } from '../api/calls.js';
import { Contract } from '../api/contract.js';
import { isPage, methodOf, ROUTES } from '../api/routes.js';
import { createTenant, type Tenant } from '../api/tenant.js';
import { knownValues } from './known-values.js';
import { requestsOf, type FuzzRequest, type Operation } from './requests.js';
import { SchemaValues } from './schema-values.js';

/** Limits that are not reached here. `PLANS` of the API. */
const PLANS = JSON.stringify({
  free: { submitsPerMinute: 10_000_000, readsPerMinute: 10_000_000, maxOpenGenerations: 1_000_000 },
});

/** What the API is started with. Nobody works here: nothing is worth waiting for. */
export const FUZZED_API = { PLANS, LOG_LEVEL: 'silent', RERENDER_WAIT_SECONDS: '0', V1_WAIT_SECONDS: '0' };

export interface FuzzReport {
  routeClass: string;
  requests: number;
  /** How often it answered in which way: `200`, `404 JOB_NOT_FOUND`. */
  outcomes: Map<string, number>;
  /** The smallest request of each route that was answered as it must not be, and how. */
  failures: string[];
}

/** Requests that one set of rows has to bear: among them are deletions. */
const RUNS_PER_TENANT = 200;
const FAILURES_PER_ROUTE = 1;
/** They stay open until their first events have come. */
const STREAM_RUNS = 100;
const isStream = (route: string) => route.endsWith('/events');

/** The routes by the first part of their path, without pages and what only they load. */
export function routeClasses(): Map<string, string[]> {
  const classes = new Map<string, string[]>();
  for (const route of Object.keys(ROUTES).filter((each) => !isPage(each))) {
    const name = route.split('/')[1] as string;
    classes.set(name, [...(classes.get(name) ?? []), route]);
  }
  return classes;
}

/**
 * Sends so many requests to the routes of a class, made of what OpenAPI says of them. Each must be answered
 * without a failure of ours, as documented, and with a code when it is refused.
 */
export async function fuzz(
  api: TestApi,
  contract: Contract,
  { routeClass, routes, requests, seed }: { routeClass: string; routes: string[]; requests: number; seed: number },
): Promise<FuzzReport> {
  const report: FuzzReport = { routeClass, requests: 0, outcomes: new Map(), failures: [] };
  const users = { other: await createUser(api.database, 10), admin: await createUser(api.database, 10) };
  for (const [index, route] of routes.entries()) {
    let left = Math.ceil(requests / routes.length);
    if (isStream(route)) left = Math.min(Math.ceil(left / 10), STREAM_RUNS);
    for (let batch = 0; left > 0 && failuresOf(report, route) < FAILURES_PER_ROUTE; batch++) {
      const tenant = await createTenant(api);
      const numRuns = Math.min(left, RUNS_PER_TENANT);
      const request = requestsOf(route, operationOf(contract, route), valuesFor(contract, tenant), tenant);
      const property = fc.asyncProperty(request, async (made) => {
        await send(api, contract, route, made, { ...users, owner: tenant.userId }, report);
      });
      // A seed of its own for each batch, and the same for the same command.
      const found = await fc.check(property, { seed: seed + index * 1_000 + batch, numRuns });
      if (found.failed) report.failures.push(`${route}: ${tell(found)}`);
      left -= numRuns;
    }
  }
  return report;
}

const failuresOf = ({ failures }: FuzzReport, route: string): number =>
  failures.filter((each) => each.startsWith(`${route}:`)).length;

async function send(
  api: TestApi,
  contract: Contract,
  route: string,
  { caller, path, headers, body }: FuzzRequest,
  users: { owner: string; other: string; admin: string },
  report: FuzzReport,
): Promise<void> {
  const credentials = credentialsOf(api, caller, users);
  const answer = await call(`${api.url}${path}`, { method: methodOf(route), headers: { ...credentials, ...headers }, body });
  const outcome = outcomeOf(answer);
  report.requests++;
  report.outcomes.set(outcome, (report.outcomes.get(outcome) ?? 0) + 1);
  const faults = contract.faultsOf(route, answer);
  if (answer.status >= 500) faults.unshift('is a failure of ours');
  if (answer.status >= 400 && answer.status !== 416 && !answer.json?.code) faults.push('has no code');
  if (faults.length > 0) throw new Error(`${outcome} ${faults.join('; ')} — ${answer.text.slice(0, 500)}`);
}

/** The request as it was shrunk, and what was wrong with its answer. */
function tell({ counterexample, errorInstance, seed, counterexamplePath }: fc.RunDetails<[FuzzRequest]>): string {
  const request = JSON.stringify(counterexample?.[0])?.slice(0, 2_000);
  const cause = errorInstance instanceof Error ? errorInstance.message : String(errorInstance);
  return `${cause}\n    ${request}\n    seed ${seed}, path ${counterexamplePath}`;
}

const valuesFor = ({ document }: Contract, tenant: Tenant) =>
  new SchemaValues(document.components.schemas, knownValues(tenant));

function operationOf({ document }: Contract, route: string): Operation {
  const path = (route.split(' ')[1] as string).replace('*', ':path').replace(/:(\w+)/g, '{$1}');
  return document.paths[path]?.[methodOf(route).toLowerCase()] as Operation;
}
