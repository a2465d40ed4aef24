import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse, parseAllDocuments } from 'yaml';
import { root } from './sources.js';

export const folder = join(root, 'deploy/kubernetes');

interface Probe {
  httpGet: { path: string; port: string };
}

export interface Container {
  image: string;
  args?: string[];
  ports?: Array<{ name: string; containerPort: number }>;
  env?: Array<{ name: string; value: string }>;
  envFrom: Array<{ configMapRef?: { name: string }; secretRef?: { name: string } }>;
  startupProbe?: Probe;
  livenessProbe?: Probe;
  readinessProbe?: Probe;
  resources: { requests?: Record<string, string>; limits?: { memory: string } };
  securityContext: object;
  lifecycle?: { preStop: { exec: { command: string[] } } };
}

export interface PodSpec {
  automountServiceAccountToken: boolean;
  terminationGracePeriodSeconds?: number;
  securityContext: { runAsUser: number; seccompProfile: { type: string; localhostProfile?: string } };
  containers: Container[];
}

export interface Manifest {
  apiVersion: string;
  kind: string;
  metadata: { name: string };
  spec: {
    template?: { metadata?: { labels: Record<string, string> }; spec: PodSpec };
    selector?: { matchLabels?: Record<string, string> };
    scaleTargetRef?: { name: string };
    triggers?: Array<{ type: string; metadata: { query: string; targetQueryValue: string } }>;
    maxUnavailable?: number;
    podMetricsEndpoints?: object[];
  };
}

export interface Kustomization {
  resources: string[];
  nameSuffix?: string;
  patches?: Array<{ path: string }>;
  images?: Array<{ name: string }>;
  labels?: Array<{ pairs: Record<string, string>; includeSelectors?: boolean }>;
  configMapGenerator?: Array<{ name: string; envs: string[] }>;
}

export const textOf = (path: string): string => readFileSync(join(folder, path), 'utf8');
export const kustomization = (path = '.'): Kustomization => parse(textOf(join(path, 'kustomization.yaml'))) as Kustomization;

/** Every file but the kustomizations, by its path: what is in it. Throws where that is no YAML. */
export const manifests = new Map(
  (readdirSync(folder, { recursive: true }) as string[])
    .filter((path) => path.endsWith('.yaml') && !path.endsWith('kustomization.yaml'))
    .map((path) => [path.replaceAll('\\', '/'), documentsIn(textOf(path))]),
);

export function documentsIn(text: string): Manifest[] {
  return parseAllDocuments(text).map((document) => {
    if (document.errors[0]) throw document.errors[0];
    return document.toJS() as Manifest;
  });
}
