import { CollectionSources } from '#libs/collections/collection-source.js';
import { ImageVariables } from '#libs/collections/image-variables.js';
import { Ledger } from '#libs/credits/ledger.js';
import { Reservations } from '#libs/collections/reservations.js';
import { Plans } from '#libs/credits/plans.js';
import { Pricing } from '#libs/credits/pricing.js';
import type { Database, Transaction } from '#libs/database/database.js';
import { EventBus, type BusMessage } from '#libs/events/event-bus.js';
import { Accounts } from '#libs/identity/accounts.js';
import { NodeRegistry } from '#libs/nodes/registry.js';
import { WakeQueue, type LaneDepth, type WakeQueueConsumer, type WakeUp } from '#libs/queue/wake-queue.js';
import { ScriptSandbox, type ScriptValue } from '#libs/sandbox/script-sandbox.js';
import { GenerateCollection } from '#libs/submission/generate-collection.js';
import { GenerateEditions } from '#libs/submission/generate-editions.js';
import { Submissions } from '#libs/submission/submissions.js';
import { WorkflowTrial } from '#libs/submission/workflow-trial.js';
import { StepWorkflows } from '#libs/workflows/step-workflows.js';
import { WorkflowCatalog } from '#libs/workflows/workflow-catalog.js';
import { DurationEstimates } from '#libs/workflows/workflow-duration.js';
import { WorkflowEstimates } from '#libs/workflows/workflow-estimate.js';
import { testKeys } from './keys.js';
import { createOutside, testNodes } from './nodes.js';

/** Remembers what was announced; whether it arrives is tested with the queue. */
export class AnnouncedWakeUps extends WakeQueue {
  readonly wakeUps: WakeUp[] = [];

  async wake(wakeUps: WakeUp[]): Promise<void> {
    this.wakeUps.push(...wakeUps);
  }

  consume(): WakeQueueConsumer {
    throw new Error('nothing is consumed here');
  }

  async depth(): Promise<LaneDepth[]> {
    return [];
  }

  async memory(): Promise<null> {
    return null;
  }

  async close(): Promise<void> {}
}

/** Remembers what was announced; whether it arrives is tested with the bus. */
export class AnnouncedMessages extends EventBus {
  readonly messages: BusMessage[] = [];

  async publish(message: BusMessage): Promise<void> {
    this.messages.push(message);
  }

  subscribe(): () => void {
    return () => undefined;
  }

  healthy(): boolean {
    return true;
  }

  async close(): Promise<void> {}
}

/** For workflows with a fixed price, which run no script. */
class NoScripts extends ScriptSandbox {
  async run(): Promise<{ value: ScriptValue; logs: string[] }> {
    throw new Error('no script runs here');
  }

  async close(): Promise<void> {}
}

/** What submits work on a database, with the test nodes and default plans and prices. */
export function createSubmitting(database: Database) {
  const keys = testKeys(database);
  const queue = new AnnouncedWakeUps();
  const bus = new AnnouncedMessages();
  const registry = new NodeRegistry(testNodes(createOutside()));
  const pricing = new Pricing({ NODE_PRICES: { echo: 0.1 } }, registry, new NoScripts());
  const accounts = new Accounts(database, new Plans({}));
  const submissions = new Submissions(database, new Ledger(), queue, bus);
  const catalog = new WorkflowCatalog(database);
  const stepWorkflows = new StepWorkflows(catalog, registry);
  const estimates = new WorkflowEstimates(new DurationEstimates(database), pricing, stepWorkflows);
  return {
    queue,
    bus,
    registry,
    submissions,
    stepWorkflows,
    estimates,
    trial: new WorkflowTrial(catalog, estimates, stepWorkflows, accounts, submissions),
    collections: new GenerateCollection(new Reservations(database, keys), catalog, estimates, stepWorkflows, accounts, submissions),
    editions: new GenerateEditions(
      new CollectionSources(database, keys, new ImageVariables(database, { faultOf: () => null })),
      estimates, stepWorkflows, accounts, submissions,
    ),
  };
}

/** Runs `work` in a transaction and counts its statements, begin and commit included. */
export async function countStatements(
  database: Database,
  work: (tx: Transaction) => Promise<unknown>,
): Promise<number> {
  let statements = 2;
  await database.transaction((tx) =>
    work({
      query: (sql, parameters) => {
        statements += 1;
        return tx.query(sql, parameters);
      },
      afterCommit: (effect) => tx.afterCommit(effect),
    }),
  );
  return statements;
}
