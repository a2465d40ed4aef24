import type { Profiler } from 'node:inspector';

type Profile = Profiler.Profile;
type ProfileNode = Profiler.ProfileNode;

const LONGEST_LIST = 30;
const IDLE = new Set(['(idle)', '(program)', '(root)']);

/** Where a process' time went, as text: by package, by function itself, and by our functions with all they call. */
export function cpuReport(name: string, profile: Profile, units: number): string {
  const times = new Times(profile);
  const busy = [...times.self].filter(([node]) => !IDLE.has(node.callFrame.functionName));
  const perUnit = (us: number) => us / units;
  const section = (title: string, entries: Map<string, number>) =>
    [`${name}, ${title} (µs per generation)`, ...linesOf(entries, perUnit)].join('\n');
  const whole = busy.reduce((sum, [, us]) => sum + us, 0);
  return [
    `${name}: ${perUnit(whole).toFixed(0)} µs of JavaScript per generation`,
    section('by package', sumBy(busy, packageOf)),
    section('by function', sumBy(busy, placeOf)),
    section('ours, with what they call', times.ofOwnFunctions()),
  ].join('\n\n');
}

/** Microseconds spent in each node of the call tree. */
class Times {
  readonly self = new Map<ProfileNode, number>();
  private readonly nodes: Map<number, ProfileNode>;

  constructor({ nodes, samples = [], timeDeltas = [] }: Profile) {
    this.nodes = new Map(nodes.map((node) => [node.id, node]));
    for (const [index, id] of samples.entries()) {
      const node = this.nodes.get(id) as ProfileNode;
      this.self.set(node, (this.self.get(node) ?? 0) + (timeDeltas[index] ?? 0));
    }
  }

  /** Time of each function of `dist` and all that it calls at once; what it awaits is not in it. */
  ofOwnFunctions(): Map<string, number> {
    const totals = new Map<string, number>();
    const root = this.nodes.get(1);
    if (root) this.add(root, new Set(), totals);
    return totals;
  }

  private add(node: ProfileNode, open: Set<string>, totals: Map<string, number>): number {
    const place = placeOf(node);
    const counts = packageOf(node).startsWith('dist/') && !open.has(place);
    const inside = counts ? new Set([...open, place]) : open;
    let total = this.self.get(node) ?? 0;
    for (const id of node.children ?? []) total += this.add(this.nodes.get(id) as ProfileNode, inside, totals);
    if (counts) totals.set(place, (totals.get(place) ?? 0) + total);
    return total;
  }
}

function sumBy(entries: Array<[ProfileNode, number]>, keyOf: (node: ProfileNode) => string): Map<string, number> {
  const sums = new Map<string, number>();
  for (const [node, us] of entries) sums.set(keyOf(node), (sums.get(keyOf(node)) ?? 0) + us);
  return sums;
}

function linesOf(entries: Map<string, number>, perUnit: (us: number) => number): string[] {
  const sorted = [...entries].sort(([, a], [, b]) => b - a).slice(0, LONGEST_LIST);
  return sorted.map(([name, us]) => `  ${perUnit(us).toFixed(1).padStart(8)}  ${name}`);
}

function packageOf({ callFrame: { url, functionName } }: ProfileNode): string {
  if (url === '') return functionName.startsWith('(') ? functionName : 'V8';
  const [, name] = /.*\/node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(url) ?? [];
  const [, folder] = /\/(dist\/\w+\/[^/]+)\//.exec(url) ?? [];
  return name ?? folder ?? (url.startsWith('node:') ? 'node' : url);
}

function placeOf(node: ProfileNode): string {
  const { functionName, url, lineNumber } = node.callFrame;
  const file = url.replace(/^.*\/(node_modules|dist)\//, '');
  return `${functionName || '(anonymous)'}  ${file ? `${file}:${lineNumber + 1}` : ''}`;
}
