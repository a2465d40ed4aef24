import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { validate } from 'dockerfile-utils';
import { parse } from 'yaml';
import { Environment, loadEnvironment } from '#libs/config/environment.js';
import { createProgram } from '../../src/program.js';
import { root } from './sources.js';

const read = (path: string) => readFileSync(join(root, path), 'utf8');

interface Service {
  image: string;
  command?: string | string[];
  environment?: Record<string, string>;
  depends_on?: Record<string, { condition: string }>;
  healthcheck?: { test?: string[]; disable?: boolean };
  volumes?: string[];
  security_opt?: string[];
  stop_grace_period?: string;
  read_only?: boolean;
  secrets?: string[];
}

const dockerfile = read('Dockerfile');
const composeText = read('docker-compose.yml');
const compose = parse(composeText, { merge: true }) as {
  services: Record<string, Service>;
  volumes: Record<string, null>;
  secrets: Record<string, { environment: string }>;
};
const services = Object.entries(compose.services);
const roles = services.filter(([, { image }]) => image === 'platen:latest');

/** Every variable that is read, as the class declares it. */
const variables = [...read('libs/config/environment.ts').matchAll(/^ {2}([A-Z][A-Z_0-9]+)\??:/gm)].map(([, name]) => name);
/** Instructions of the Dockerfile by their keyword, continued lines joined. */
const instructions = dockerfile
  .replace(/^#.*\n/gm, '')
  .replace(/\\\n/g, ' ')
  .split('\n')
  .map((line) => /^([A-Z]+) (.*)$/.exec(line))
  .flatMap((found) => (found ? [{ keyword: found[1], rest: found[2]!.trim() }] : []));
const those = (keyword: string) => instructions.filter((one) => one.keyword === keyword).map(({ rest }) => rest);
const imageVariables = Object.fromEntries(those('ENV').flatMap((rest) => rest.split(/\s+/).map((pair) => pair.split('='))));

/** `${NAME:-default}` and `${NAME:?…}` as Compose fills them in, required ones with something long enough. */
const filledIn = (value: string): string =>
  String(value).replace(/\$\{([A-Z_]+)(:-|:\?)([^}]*)\}/g, (_, _name, kind: string, rest: string) =>
    kind === ':-' ? rest : 'x'.repeat(32),
  );

/** What the system below Node reads. */
const NOT_OURS = ['MALLOC_ARENA_MAX'];

describe('the Dockerfile', () => {
  it('has no fault that a linter finds', () => {
    expect(validate(dockerfile).map(({ message, range }) => `${range.start.line + 1}: ${message}`)).toEqual([]);
  });

  it('copies only what is there, and what .dockerignore lets through', () => {
    const allowed = read('.dockerignore').split('\n').filter((line) => line.startsWith('!')).map((line) => line.slice(1));
    const copied = those('COPY').filter((rest) => !rest.startsWith('--from')).flatMap((rest) => rest.split(/\s+/).slice(0, -1));
    expect(copied.length).toBeGreaterThan(8);
    for (const path of copied) {
      expect({ path, exists: existsSync(join(root, path)) }).toEqual({ path, exists: true });
      expect(allowed).toContain(path.split('/')[0]);
    }
    for (const path of allowed) expect({ path, exists: existsSync(join(root, path)) }).toEqual({ path, exists: true });
  });

  it('takes the same supported Node throughout, by an exact version', () => {
    const bases = those('FROM').map((rest) => rest.split(' ')[0]);
    expect(new Set(bases).size).toBe(1);
    expect(bases[0]).toMatch(/^node:(22|24)\.\d+\.\d+-\w+-slim$/);
  });

  it('runs as nobody special, and hears signals', () => {
    expect(those('USER')).toEqual(['node']);
    expect(instructions.findIndex(({ keyword }) => keyword === 'USER')).toBeLessThan(
      instructions.findIndex(({ keyword }) => keyword === 'ENTRYPOINT'),
    );
    expect(JSON.parse(those('ENTRYPOINT')[0]!)).toEqual(['tini', '--', 'node', 'dist/src/main.js']);
  });

  it('sets variables that exist, and exposes the ports that they mean', () => {
    expect([...variables, ...NOT_OURS]).toEqual(expect.arrayContaining(Object.keys(imageVariables)));
    const { PORT } = new Environment();
    expect(those('EXPOSE')).toEqual([`${PORT} ${imageVariables['WORKER_PORT']}`]);
    const probe = read('deploy/probe.mjs');
    expect(probe).toContain(`PORT = '${PORT}', WORKER_PORT = '${imageVariables['WORKER_PORT']}'`);
  });
});

describe('docker-compose.yml', () => {
  it('lets Prometheus read every role that measures, where it listens, by the token that opens it', () => {
    const { scrape_configs, rule_files } = parse(read('deploy/prometheus/prometheus.yml'), { merge: true }) as {
      rule_files: string[];
      scrape_configs: Array<{
        authorization: { credentials_file: string };
        dns_sd_configs: Array<{ names: string[]; port: number }>;
      }>;
    };
    const targets = scrape_configs.flatMap(({ dns_sd_configs }) => dns_sd_configs.flatMap(({ names, port }) => [[...names, port]]));
    expect(targets).toEqual([['api', new Environment().PORT], ['worker', Number(imageVariables['WORKER_PORT'])]]);
    expect(compose.secrets).toEqual({ metrics_token: { environment: 'METRICS_TOKEN' } });
    for (const { authorization } of scrape_configs) {
      expect(authorization.credentials_file).toBe(`/run/secrets/${compose.services['prometheus']!.secrets![0]}`);
    }
    for (const file of rule_files) expect(existsSync(join(root, 'deploy/prometheus', file))).toBe(true);
  });

  const commands = createProgram().commands.map((command) => command.name());

  it('runs every role by a command that exists', () => {
    expect(roles.map(([name, { command }]) => [name, command])).toEqual([
      ['api', ['api']], ['worker', ['worker']], ['migrate', ['migrate']],
    ]);
    for (const [name] of roles) expect(commands).toContain(name);
  });

  it('gives each role an environment that is accepted in production', () => {
    for (const [, { environment = {} }] of roles) {
      const given = Object.fromEntries(Object.entries(environment).map(([name, value]) => [name, filledIn(value)]));
      expect(variables).toEqual(expect.arrayContaining(Object.keys(given)));
      const loaded = loadEnvironment({ ...imageVariables, ...given });
      expect(loaded).toMatchObject({ NODE_ENV: 'production', STORAGE_DRIVER: 's3', REDIS_URL: 'redis://redis:6379' });
    }
  });

  it('asks the one who starts it only for variables that Platen knows', () => {
    const asked = [...composeText.matchAll(/\$\{([A-Z_]+)/g)].map(([, name]) => name);
    expect(variables).toEqual(expect.arrayContaining(asked));
  });

  it('lets what runs end: the engine kills later than Platen hands back', () => {
    for (const [, { stop_grace_period = '10s', environment }] of roles) {
      const graceMs = Number(/^(\d+)s$/.exec(stop_grace_period)![1]) * 1_000;
      expect(graceMs).toBeGreaterThanOrEqual(Number(environment?.['SHUTDOWN_GRACE_MS']) + 5_000);
    }
  });

  it('waits for services that are there and can say that they are well', () => {
    const waits = services.flatMap(([name, { depends_on = {} }]) =>
      Object.entries(depends_on).map(([on, { condition }]) => ({ name, on, condition })),
    );
    expect(waits.length).toBeGreaterThan(5);
    for (const wait of waits) {
      const service = compose.services[wait.on];
      const canTell = wait.condition !== 'service_healthy' || Boolean(service?.healthcheck?.test);
      expect({ ...wait, isThere: service !== undefined, canTell }).toEqual({ ...wait, isThere: true, canTell: true });
    }
  });

  it('names volumes and files that exist, and exact images', () => {
    for (const [name, { image, volumes = [], security_opt = [] }] of services) {
      const sources = volumes.filter((volume) => !volume.startsWith('/')).map((volume) => volume.split(':')[0]!);
      const named = sources.filter((source) => !source.startsWith('.'));
      expect(Object.keys(compose.volumes)).toEqual(expect.arrayContaining(named));
      for (const path of sources.filter((source) => source.startsWith('.'))) {
        expect({ path, exists: existsSync(join(root, path)) }).toEqual({ path, exists: true });
      }
      const [, filter] = /seccomp=(\S+)/.exec(security_opt.join(' ')) ?? [];
      if (filter) expect(JSON.parse(read(filter))).toMatchObject({ defaultAction: 'SCMP_ACT_ALLOW' });
      expect([name, image]).toEqual([name, expect.stringMatching(/^(platen:latest|[\w/]+:(RELEASE\.|v)?\d[\w.-]+)$/)]);
    }
  });

  it('keeps Redis from losing entries, and the disks of roles from being written to', () => {
    expect(compose.services['redis']!.command).toMatch(/--appendonly yes .*--maxmemory-policy noeviction/);
    for (const [, { read_only }] of roles) expect(read_only).toBe(true);
  });
});
