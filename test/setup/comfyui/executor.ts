import { setTimeout as sleep } from 'node:timers/promises';
import { behind, isLink } from './prompt-check.js';
import type { Graph, NodeClass } from './node-classes.js';
import type { StoredFiles } from './stored-files.js';

export interface QueuedPrompt {
  number: number;
  id: string;
  graph: Graph;
  extra: { client_id?: string };
  outputs: string[];
}

export interface HistoryEntry {
  prompt: unknown[];
  outputs: Record<string, unknown>;
  status: { status_str: 'success' | 'error'; completed: boolean; messages: Array<[string, object]> };
  meta: object;
}

interface Messenger {
  /** To the socket of a client id; null: to all sockets. */
  send(clientId: string | null, type: string, data: object): void;
  sendImage(clientId: string | null, node: string, promptId: string, bytes: Buffer): void;
}

/** Runs prompts one after the other, as a server's worker thread does, and says what it does in its order. */
export class Executor {
  running: QueuedPrompt | null = null;
  pending: QueuedPrompt[] = [];
  readonly history = new Map<string, HistoryEntry>();
  /** Prompts that were begun, by id, in order: what a test counts. */
  readonly begun: string[] = [];
  /** Milliseconds between `execution_success` and the history entry. */
  historyLagMs = 0;
  /** Milliseconds that each node takes beside its own work. */
  nodeMs = 0;
  private abort = new AbortController();
  private dead = false;

  constructor(
    private readonly classes: Record<string, NodeClass>,
    private readonly files: StoredFiles,
    private readonly messenger: Messenger,
  ) {}

  get remaining(): number {
    return this.pending.length + (this.running ? 1 : 0);
  }

  put(prompt: QueuedPrompt): void {
    this.pending.push(prompt);
    this.tellStatus();
    if (!this.running) void this.work();
  }

  delete(ids: string[]): void {
    this.pending = this.pending.filter(({ id }) => !ids.includes(id));
    this.tellStatus();
  }

  /** Without an id: whatever runs. */
  interrupt(id?: string): void {
    if (this.running && (id === undefined || this.running.id === id)) this.abort.abort();
  }

  /** The process is gone: nothing more happens. */
  kill(): void {
    this.dead = true;
    this.abort.abort();
    this.running = null;
    this.pending = [];
  }

  private async work(): Promise<void> {
    for (;;) {
      this.pending.sort((one, other) => one.number - other.number);
      const prompt = this.pending.shift();
      if (!prompt || this.dead) return;
      this.running = prompt;
      this.abort = new AbortController();
      this.tellStatus();
      await this.run(prompt);
    }
  }

  private async run(prompt: QueuedPrompt): Promise<void> {
    const { id, extra } = prompt;
    const client = extra.client_id ?? null;
    const messages: HistoryEntry['status']['messages'] = [];
    const tell = (type: string, data: object) => {
      const full = { prompt_id: id, ...data, timestamp: Date.now() };
      messages.push([type, full]);
      if (client !== null || type === 'execution_interrupted') this.send(client, type, full);
    };
    this.begun.push(id);
    tell('execution_start', {});
    tell('execution_cached', { nodes: [] });
    const outputs: Record<string, unknown> = {};
    const end = await this.runNodes(prompt, outputs, tell);
    if (this.dead) return;
    if (end === 'success') tell('execution_success', {});
    if (this.historyLagMs > 0) await sleep(this.historyLagMs);
    const status = { status_str: end, completed: end === 'success', messages };
    this.history.set(id, { prompt: [prompt.number, id, prompt.graph, extra, prompt.outputs], outputs, status, meta: {} });
    this.running = null;
    this.tellStatus();
    if (client !== null) this.send(client, 'executing', { node: null, prompt_id: id });
  }

  private async runNodes(
    { id, graph, extra, outputs: wanted }: QueuedPrompt,
    outputs: Record<string, unknown>,
    tell: (type: string, data: object) => void,
  ): Promise<'success' | 'error'> {
    const client = extra.client_id ?? null;
    const order = [...new Set(wanted.flatMap((output) => [...behind(graph, output)]))];
    const results = new Map<string, unknown>();
    const states: Record<string, object> = {};
    const move = (node: string, state: string, value: number, max: number) => {
      states[node] = { value, max, state, node_id: node, prompt_id: id, display_node_id: node, parent_node_id: null, real_node_id: node };
      this.send(client, 'progress_state', { prompt_id: id, nodes: { ...states } });
    };
    for (const node of order) {
      const { class_type: name, inputs } = graph[node] as Graph[string];
      const executed = [...results.keys()];
      move(node, 'running', 0, 1);
      if (client !== null) this.send(client, 'executing', { node, display_node: node, prompt_id: id });
      try {
        if (this.nodeMs > 0) await sleep(this.nodeMs, undefined, { signal: this.abort.signal });
        const values = Object.entries(inputs).map(([key, value]) => [key, isLink(value) ? results.get(value[0]) : value]);
        const { result, ui } = await (this.classes[name] as NodeClass).run(Object.fromEntries(values), {
          files: this.files,
          signal: this.abort.signal,
          progress: (value, max) => {
            move(node, 'running', value, max);
            this.send(client, 'progress', { value, max, prompt_id: id, node });
          },
          sendImage: (bytes) => this.dead || this.messenger.sendImage(client, node, id, bytes),
        });
        this.abort.signal.throwIfAborted();
        results.set(node, result);
        if (ui) {
          outputs[node] = ui;
          if (client !== null) this.send(client, 'executed', { node, display_node: node, output: ui, prompt_id: id });
        }
        move(node, 'finished', 1, 1);
      } catch (error) {
        const of = { node_id: node, node_type: name, executed };
        if (this.abort.signal.aborted) tell('execution_interrupted', of);
        else tell('execution_error', { ...of, exception_message: (error as Error).message, exception_type: 'RuntimeError', traceback: ['…'], current_inputs: {}, current_outputs: [] });
        return 'error';
      }
    }
    return 'success';
  }

  private tellStatus(): void {
    this.send(null, 'status', { status: { exec_info: { queue_remaining: this.remaining } } });
  }

  private send(clientId: string | null, type: string, data: object): void {
    if (!this.dead) this.messenger.send(clientId, type, data);
  }
}
