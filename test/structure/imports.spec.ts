import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { root, sourcesIn, type Source } from './sources.js';

const sources = sourcesIn(['src', 'apps', 'libs']);

/** `path → import` of every import that `isForbidden`, of the files below one of `folders`. */
function violations(folders: string[], isForbidden: (target: string, source: Source) => boolean): string[] {
  return sources
    .filter(({ path }) => folders.some((folder) => path.startsWith(folder)))
    .flatMap((source) =>
      source.imports
        .filter((target) => isForbidden(target, source))
        .map((target) => `${source.path} → ${target}`),
    );
}

const isProject = (target: string) => /^(src|apps|libs|test)\//.test(target);
const isFramework = (target: string) => /^(@nestjs|@bull-board|bullmq|fastify|typeorm)\b/.test(target);

describe('who may import whom', () => {
  it('finds the sources and their imports', () => {
    expect(sources.length).toBeGreaterThan(50);
    expect(sources.flatMap(({ imports }) => imports)).toContain('libs/database/database.js');
  });

  it('libs know neither apps nor the launcher', () => {
    expect(violations(['libs/'], (target) => isProject(target) && !target.startsWith('libs/'))).toEqual([]);
  });

  it.each(['api', 'worker'])('the app %s knows libs and itself, never the other app', (app) => {
    const allowed = ['libs/', `apps/${app}/`];
    const isAllowed = (target: string) => allowed.some((folder) => target.startsWith(folder));
    const foreign = violations([`apps/${app}/`], (target) => isProject(target) && !isAllowed(target));
    expect(foreign).toEqual([]);
  });

  it('the studio runs in browsers: it knows itself, the client, and packages that run there', () => {
    const packages = /^(preact|@preact\/signals|@codemirror\/|@lezer\/)/;
    const isAllowed = (target: string) => packages.test(target) || /^(apps\/studio|libs\/client)\//.test(target);
    expect(violations(['apps/studio/'], (target) => !isAllowed(target))).toEqual([]);
  });

  it('the launcher knows of an app how it is started, and nothing else', () => {
    const isInside = (target: string) => target.startsWith('apps/') && !/^apps\/\w+\/main\.js$/.test(target);
    expect(violations(['src/'], isInside)).toEqual([]);
    expect(violations(['src/'], (target) => target.startsWith('test/'))).toEqual([]);
  });

  it.each(['engine', 'nodes', 'providers', 'sandbox', 'storage', 'instruction-set'])(
    'libs/%s is plain TypeScript: no Nest, TypeORM or BullMQ',
    (lib) => {
      expect(violations([`libs/${lib}/`], isFramework)).toEqual([]);
    },
  );

  it('libs throw what the worker can throw too: no HTTP exceptions of Nest, no controllers', () => {
    const fromNest = /import \{[^}]*\b(\w*Exception|Controller)\b[^}]*\} from '@nestjs\/common'/;
    const naming = sources.filter(({ path, text }) => path.startsWith('libs/') && fromNest.test(text));
    expect(naming.map(({ path }) => path)).toEqual([]);
  });

  it('only the queue, the events and the apps name BullMQ', () => {
    const isBullMq = (target: string) => /^(bullmq|@nestjs\/bullmq)\b/.test(target);
    const allowed = ['libs/queue/', 'libs/events/', 'libs/backing-services/', 'apps/'];
    const isAllowed = (path: string) => allowed.some((folder) => path.startsWith(folder));
    const naming = violations(['src/', 'libs/'], (target, { path }) => isBullMq(target) && !isAllowed(path));
    expect(naming).toEqual([]);
  });

  it('only libs/redis dials Redis, so that all can be led to sentinels and clusters', () => {
    const dialling = sources.filter(({ path, text }) => /\bnew (Redis|Cluster)\(/.test(text) && !path.startsWith('libs/redis/'));
    expect(dialling.map(({ path }) => path)).toEqual([]);
  });

  it('only libs/config and the launcher read the environment', () => {
    const readers = sources.filter(({ path, text }) =>
      /\bprocess\.env\b/.test(withoutComments(text)) && !/^(libs\/config|src)\//.test(path),
    );
    expect(readers.map(({ path }) => path)).toEqual([]);
  });
});

describe('names', () => {
  it('tell what is inside: no utils, common, helpers, misc, shared, types or constants', () => {
    const paths = ['src', 'apps', 'libs', 'test'].flatMap((folder) =>
      readdirSync(join(root, folder), { recursive: true }).map((path) => `${folder}/${String(path)}`),
    );
    const vague = /(^|\/)(utils?|common|helpers?|misc|shared|types|constants)(\.|\/|$)/i;
    expect(paths.filter((path) => vague.test(path))).toEqual([]);
  });
});

function withoutComments(text: string): string {
  return text.replace(/\/\*[\s\S]*?\*\//g, '').replace(/^\s*\/\/.*$/gm, '');
}
