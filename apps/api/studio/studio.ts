import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import files, { type SendOptions } from '@fastify/static';
import type { FastifyInstance, FastifyReply } from 'fastify';

const SITE = fileURLToPath(new URL('../../studio/site/', import.meta.url));
const YEAR_MS = 365 * 24 * 3_600_000;

/** Pictures lie where storage and CDN are, and covers anywhere: only they may come from elsewhere. */
const POLICY = [
  "default-src 'none'", "script-src 'self'", "style-src 'self'", "connect-src 'self'",
  "img-src 'self' data: blob: http: https:", "media-src 'self' http: https:",
  "base-uri 'none'", "form-action 'none'", "frame-ancestors 'none'",
].join('; ');

/**
 * The studio at `/studio`: one page for every path below, since it finds its way by itself, and its files, whose names
 * change with their content. It is open to all, as it holds nothing: what it shows it asks of the API, with a token.
 */
export function mountStudio(server: FastifyInstance): void {
  server.register(async (scope) => {
    const isBuilt = existsSync(SITE);
    if (isBuilt) await scope.register(files, { root: SITE, serve: false, preCompressed: true });
    const send = (reply: FastifyReply, file: string, options: SendOptions) =>
      isBuilt ? guarded(reply).sendFile(file, options) : reply.callNotFound();
    const page = (_request: unknown, reply: FastifyReply) => send(reply, 'index.html', { maxAge: 0 });
    scope.get('/studio', page);
    scope.get('/studio/*', page);
    scope.get<{ Params: { file: string } }>('/studio/assets/:file', ({ params }, reply) =>
      send(reply, `assets/${params.file}`, { immutable: true, maxAge: YEAR_MS }));
  });
}

const guarded = (reply: FastifyReply): FastifyReply =>
  reply.headers({ 'content-security-policy': POLICY, 'x-content-type-options': 'nosniff' });
