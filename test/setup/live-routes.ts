import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import type { FastifyInstance, RouteOptions } from 'fastify';

const SERVER_MADE = 'fastify.initialization';

/**
 * Every route that the servers made during `start` take on, as `GET /jobs/:id`: those of controllers and
 * those that plugins bring along. A HEAD that answers as a GET does is not a route of its own.
 */
export async function routesMadeBy(start: () => Promise<unknown>): Promise<string[]> {
  const routes = new Set<string>();
  const note = ({ method, url }: RouteOptions) => {
    for (const name of [method].flat()) routes.add(`${name} ${url}`);
  };
  const watch = (message: unknown) => {
    (message as { fastify: FastifyInstance }).fastify.addHook('onRoute', note);
  };
  subscribe(SERVER_MADE, watch);
  try {
    await start();
  } finally {
    unsubscribe(SERVER_MADE, watch);
  }
  return [...routes].filter((route) => !isTwin(route, routes)).sort();
}

/** Fastify makes one for every GET, for a prefix with and without its slash. */
const isTwin = (route: string, routes: Set<string>): boolean =>
  route.startsWith('HEAD ') &&
  [route, route.replace(/\/$/, '')].some((head) => routes.has(head.replace('HEAD', 'GET')));
