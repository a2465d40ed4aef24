import { ReplicateServer } from '#libs/providers/stand-in/replicate-server.js';
import { given, serveBench } from '../child.js';

/** What the stand-in for Replicate is told: that all predictions end now. */
export interface ReplicateOrder {
  release: true;
}

/* A process of its own: its work must not be counted as the worker's. */
const server = await ReplicateServer.start({ runMs: Infinity, output: () => 'done' }, given('REPLICATE_API_TOKEN'));

serveBench(server.apiUrl, async (_order: ReplicateOrder) => {
  server.dials.runMs = 0;
  return { predictions: server.predictions.size };
});
