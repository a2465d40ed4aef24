import { titleOf, type Graph } from './graph.js';
import type { ServerMessage } from './socket-message.js';

export interface Progress {
  /** From 0 to 1. */
  fraction: number;
  /** The node that runs, as its author called it. */
  message: string;
}

/**
 * How far a graph is, by what its server says: each node counts alike, cached ones as done. It never goes back.
 * Old servers tell of one node at a time, newer ones of all of them; both say the same here.
 */
export class PromptProgress {
  private readonly shares = new Map<string, number>();
  private readonly total: number;
  private current: string | null = null;
  private fraction = 0;

  constructor(private readonly graph: Graph) {
    this.total = Object.keys(graph).length;
  }

  /** Undefined where the message is none of progress. */
  hear(message: ServerMessage): Progress | undefined {
    if (message.type === 'cached') for (const node of message.nodes) this.set(node, 1);
    if (message.type === 'executing') this.begin(message.node);
    if (message.type === 'progress') this.set(message.node, message.value / message.max);
    if (message.type === 'nodes') {
      for (const [node, { state, value, max }] of Object.entries(message.nodes)) {
        this.set(node, state === 'finished' ? 1 : value / max);
      }
    }
    const node = this.current === null ? undefined : this.graph[this.current];
    if (!node) return undefined;
    const sum = [...this.shares.values()].reduce((all, share) => all + share, 0);
    this.fraction = Math.max(this.fraction, Math.min(1, sum / this.total));
    return { fraction: this.fraction, message: titleOf(node) };
  }

  private begin(node: string | null): void {
    if (this.current !== null) this.set(this.current, 1);
    this.current = node;
  }

  /** Nodes that came of expanding others are not of this graph: they count for nothing. */
  private set(node: string, share: number): void {
    if (node in this.graph && share >= 0) this.shares.set(node, Math.min(1, share));
  }
}
