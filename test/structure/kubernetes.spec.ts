import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { Environment, loadEnvironment } from '#libs/config/environment.js';
import { LANES } from '#libs/nodes/node.js';
import { createProgram } from '../../src/program.js';
import { createTestDatabase } from '../setup/database.js';
import { documentsIn, folder, kustomization, manifests, textOf, type Manifest, type PodSpec } from './kubernetes.js';
import { root, sourcesIn } from './sources.js';

const settings = Object.fromEntries(
  textOf('settings.env').split('\n').filter(Boolean).map((line) => line.split(/=(.*)/).slice(0, 2) as [string, string]),
);
/** What the secret must hold: the README beside the manifests makes it so. */
const secrets = Object.fromEntries([...textOf('README.md').matchAll(/--from-literal=(\w+)=/g)].map(([, name = '']) => [name, 'x'.repeat(32)]));
const declarations = readFileSync(join(root, 'libs/config/environment.ts'), 'utf8');
/** Needs an operator of its own. */
const APART = 'podmonitor.yaml';
const lanes = LANES.map((lane) => ({ lane, at: `lanes/${lane}` }));

const [migrate, api, worker] = ['migrate.yaml', 'api.yaml', 'worker/deployment.yaml'].map((path) => manifests.get(path)?.[0] as Manifest);
const podOf = (manifest: Manifest | undefined): PodSpec => manifest!.spec.template!.spec;
const roles = [migrate, api, worker].map((manifest) => {
  const [container] = podOf(manifest).containers;
  return { name: manifest!.metadata.name, pod: podOf(manifest), container: container! };
});

describe('the Kubernetes manifests', () => {
  it('name every file, and no other', () => {
    const named = (at: string): string[] => {
      const { resources, patches = [], configMapGenerator = [] } = kustomization(at);
      const paths = [...resources, ...patches.map(({ path }) => path), ...configMapGenerator.flatMap(({ envs }) => envs)];
      return paths.map((path) => join(at, path)).flatMap((path) =>
        existsSync(join(folder, path, 'kustomization.yaml')) ? named(path) : [path],
      );
    };
    const files = new Set(named('.'));
    expect([...files].filter((path) => !existsSync(join(folder, path)))).toEqual([]);
    const listed = [...files, APART].filter((path) => path.endsWith('.yaml'));
    expect(listed.sort()).toEqual([...manifests.keys()].sort());
  });

  it('run each role of the one image by a command that exists', () => {
    const commands = createProgram().commands.map((command) => command.name());
    expect(roles.map(({ container }) => container.args)).toEqual([['migrate'], ['api'], ['worker']]);
    for (const { container } of roles) {
      expect(commands).toContain(container.args![0]);
      expect(kustomization().images!.map(({ name }) => name)).toContain(container.image);
    }
  });

  it('give each role an environment that is accepted in production', () => {
    for (const { container: { envFrom } } of roles) {
      expect(envFrom).toEqual([{ configMapRef: { name: 'platen-settings' } }, { secretRef: { name: 'platen-secrets' } }]);
    }
    const given = { ...settings, ...secrets, DATABASE_URL: 'postgres://db/platen', REDIS_URL: 'redis://redis' };
    expect(Object.keys(secrets)).toEqual(expect.arrayContaining(['DATABASE_URL', 'REDIS_URL', 'JWT_SECRET', 'METRICS_TOKEN']));
    for (const name of Object.keys(given)) expect(declarations).toMatch(new RegExp(`^ {2}${name}\\??:`, 'm'));
    expect(loadEnvironment({ NODE_ENV: 'production', ...given })).toMatchObject({ NODE_ENV: 'production', STORAGE_DRIVER: 's3' });
  });

  it('ask for health where it is told', () => {
    const [, workerPort] = /WORKER_PORT=(\d+)/.exec(readFileSync(join(root, 'Dockerfile'), 'utf8')) ?? [];
    const ports = { 'platen-api': new Environment().PORT, 'platen-worker': Number(workerPort) };
    const pages = sourcesIn(['apps']).map(({ text }) => text).join('');
    for (const { name, container } of roles.filter(({ name: each }) => each in ports)) {
      const [port] = container.ports!;
      expect([name, port!.containerPort]).toEqual([name, ports[name as keyof typeof ports]]);
      const probes = [container.startupProbe!, container.livenessProbe!, container.readinessProbe!];
      expect(probes.map(({ httpGet }) => httpGet)).toEqual(
        ['live', 'live', 'ready'].map((probe) => ({ path: `/health/${probe}`, port: port!.name })),
      );
      for (const { httpGet: { path } } of probes) expect(pages).toContain(`'${path}'`);
    }
  });

  it('let Prometheus read every port, by the token that opens it', () => {
    const { podMetricsEndpoints } = manifests.get(APART)![0]!.spec;
    const ports = [api, worker].map((manifest) => podOf(manifest).containers[0]!.ports![0]!.name);
    const authorization = { credentials: { name: 'platen-secrets', key: 'METRICS_TOKEN' } };
    expect(podMetricsEndpoints).toEqual(ports.map((port) => ({ port, path: '/metrics', authorization })));
  });

  it('let what runs end: the node kills later than Platen hands back', () => {
    for (const { name, pod, container } of roles.filter(({ name: each }) => each !== 'platen-migrate')) {
      const before = Number(container.lifecycle?.preStop.exec.command[1] ?? 0);
      const needed = before + Number(settings['SHUTDOWN_GRACE_MS']) / 1_000 + 5;
      expect({ name, inTime: pod.terminationGracePeriodSeconds! >= needed }).toEqual({ name, inTime: true });
    }
  });

  it('let no role do more than it must', () => {
    for (const { pod, container } of roles) {
      expect(pod).toMatchObject({ automountServiceAccountToken: false, enableServiceLinks: false });
      expect(pod.securityContext).toMatchObject({ runAsNonRoot: true, runAsUser: 1000, seccompProfile: { type: 'RuntimeDefault' } });
      expect(container.securityContext).toEqual({
        allowPrivilegeEscalation: false, readOnlyRootFilesystem: true, capabilities: { drop: ['ALL'] },
      });
      expect(container.resources).toMatchObject({ requests: { cpu: /./, memory: /./ }, limits: { memory: /./ } });
    }
  });

  it('scale each lane by a worker of its own, and by what one of its workers takes at once', async () => {
    const test = await createTestDatabase();
    for (const { lane, at } of lanes) {
      expect(kustomization(at)).toMatchObject({
        nameSuffix: `-${lane}`, labels: [{ pairs: { 'platen/lane': lane }, includeSelectors: true }],
      });
      const env = Object.fromEntries(podOf(manifests.get(`${at}/worker.yaml`)?.[0]).containers[0]!.env!.map(({ name, value }) => [name, value]));
      expect(env['WORKER_LANES']).toBe(lane);
      const { scaleTargetRef, triggers } = manifests.get(`${at}/scaling.yaml`)![0]!.spec;
      expect(scaleTargetRef).toEqual({ name: `${worker!.metadata.name}-${lane}` });
      expect(triggers![0]!.metadata.targetQueryValue).toBe(env['WORKER_CONCURRENCY']);
      expect(triggers![0]!.metadata.query).toContain(`lane = '${lane}'`);
      expect(await test.database.query(triggers![0]!.metadata.query)).toEqual([{ count: '0' }]);
    }
    await test.close();
    expect(kustomization().resources.filter((path) => path.startsWith('lanes/')).sort()).toEqual(lanes.map(({ at }) => at).sort());
  });

  it('keep one of each at work while nodes are emptied', () => {
    const budgets = [...manifests].flatMap(([path, documents]) =>
      documents.filter(({ kind }) => kind === 'PodDisruptionBudget').map(({ spec }) => ({ in: dirname(path), ...spec })),
    );
    expect(budgets).toEqual([api, worker].map((role, index) => ({
      in: ['.', 'worker'][index], maxUnavailable: 1, selector: { matchLabels: role!.spec.selector!.matchLabels },
    })));
  });
});

const kubectl = spawnSync('kubectl', ['version', '--client']).status === 0;

(kubectl ? describe : describe.skip)('kubectl (skipped where it is not on PATH)', () => {
  it('puts the manifests together: a worker, a budget and a scale for each lane', () => {
    const { status, stdout, stderr } = spawnSync('kubectl', ['kustomize', folder], { encoding: 'utf8', timeout: 60_000 });
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
    const built = documentsIn(stdout);
    for (const { lane } of lanes) {
      const ofLane = built.filter(({ metadata }) => metadata.name === `platen-worker-${lane}`);
      expect(ofLane.map(({ kind }) => kind).sort()).toEqual(['Deployment', 'PodDisruptionBudget', 'ScaledObject']);
      for (const { spec } of ofLane) {
        if (spec.selector) expect(spec.selector.matchLabels).toMatchObject({ 'platen/lane': lane });
      }
    }
    const drawing = built.find(({ kind, metadata }) => kind === 'Deployment' && metadata.name.endsWith('-chromium'));
    expect(podOf(drawing).securityContext.seccompProfile.localhostProfile).toBe('platen/chromium-seccomp.json');
    expect(podOf(drawing).containers).toHaveLength(1);
  });
});
