import type { JsonObject } from '#libs/instruction-set/instruction-set.js';
import { fetchApiNode } from '#libs/nodes/fetch-api.node.js';
import { defineNode, inputFault, type NodeContext, type NodeDefinition } from '#libs/nodes/node.js';
import { OutboundClient } from '#libs/outbound/outbound-client.js';
import { QuickJsSandbox } from '#libs/sandbox/quickjs/quickjs-sandbox.js';
import { fetchApiKind } from '#libs/workflows/kinds/fetch-api.kind.js';
import { ApiServer } from '../setup/api-server.js';
import { TEST_CERTIFICATE } from '../setup/tls.js';
import { kindNode, type Called } from './kind-node.js';
import { generationRows, jobEnds, stepRuns } from './reads.js';
import { buildRoad, type Road } from './road.js';

export const PUBLIC_URL = 'https://platen.test/';
/** The one secret of the workflows' author, `API_KEY`. */
export const SECRET = 'sk-very-secret';

/** A road with workers whose `api` steps are calls of two servers' APIs, one of them by https. */
export interface ApiRoad {
  road: Road;
  server: ApiServer;
  safe: ApiServer;
  /** The node by itself. */
  node: NodeDefinition;
  submit(called: Called): ReturnType<Road['submit']>;
  /** Submits, waits for the job's end, and reads what came of it. */
  ends(status: string, called: Called): Promise<Ended>;
  close(): Promise<void>;
}

export interface Ended {
  jobId: string;
  userId: string;
  runs: Awaited<ReturnType<typeof stepRuns>>;
  error: Awaited<ReturnType<typeof generationRows>>[number]['error'] | undefined;
  value: unknown;
}

export async function buildApiRoad(): Promise<ApiRoad> {
  const [server, safe] = [await ApiServer.start(), await ApiServer.start('https', 'api.test')];
  const client = new OutboundClient({
    allowedHosts: [server.host, safe.host], ca: TEST_CERTIFICATE, resolve: async () => ['127.0.0.1'],
  });
  const scripts = new QuickJsSandbox(2);
  const node = kindNode('api', fetchApiKind, withSecret(fetchApiNode(scripts, client, PUBLIC_URL)));
  const road = await buildRoad({ nodes: [node] });
  road.worker().start();
  const submit = (called: Called) =>
    road.submit({ steps: [{ id: 1, nodeName: 'api', nodePayload: called as never }], lane: 'provider' });
  return {
    road, server, safe, node, submit,
    ends: async (status, called) => {
      const { jobId, userId } = await submit(called);
      await jobEnds(road.database, jobId, status, 20_000);
      const runs = await stepRuns(road.database, jobId);
      const [generation] = await generationRows(road.database, jobId);
      return { jobId, userId, runs, error: generation?.error, value: runs.at(-1)?.output?.value };
    },
    close: async () => {
      await road.close();
      await scripts.close();
      await client.close();
      for (const each of [server, safe]) each.close();
    },
  };
}

function withSecret(inner: NodeDefinition): NodeDefinition {
  const secret = async (name: string) => {
    if (name !== 'API_KEY') throw inputFault('MISSING_SECRET', `no secret named ${name}`);
    return SECRET;
  };
  const knowing = (context: NodeContext): NodeContext => ({ ...context, secret });
  return defineNode<JsonObject>({
    ...inner,
    run: (context) => inner.run(knowing(context)),
    poll: (context, reference) => inner.poll!(knowing(context), reference),
  });
}
