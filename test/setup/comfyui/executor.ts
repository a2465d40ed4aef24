import { setTimeout as sleep } from 'node:timers/promises';
import { behind, isLink } from './prompt-check.js';
import type { Graph, GraphNode, NodeClass, NodeWorld } from './node-classes.js';
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
  sendImage(clientId: string | null, bytes: Buffer): void;
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
    const run = new PromptRun(prompt);
    this.begun.push(id);
    this.tell(run, 'execution_start', {});
    this.tell(run, 'execution_cached', { nodes: [] });
    const isDone = await this.runNodes(run);
    if (this.dead) return;
    if (isDone) this.tell(run, 'execution_success', {});
    if (this.historyLagMs > 0) await sleep(this.historyLagMs);
    this.history.set(id, run.entry(isDone));
    this.running = null;
    this.tellStatus();
    if (extra.client_id) this.send(extra.client_id, 'executing', { node: null, prompt_id: id });
  }

  /** False: one failed, or the prompt was interrupted. */
  private async runNodes(run: PromptRun): Promise<boolean> {
    for (const node of run.order) {
      const of = { node_id: node, node_type: run.classOf(node), executed: [...run.results.keys()] };
      this.move(run, node, 'running', 0, 1);
      this.tellOwner(run, 'executing', { node, display_node: node });
      try {
        await this.runNode(run, node);
      } catch (error) {
        const { message } = error as Error;
        if (this.abort.signal.aborted) this.tell(run, 'execution_interrupted', of);
        else this.tell(run, 'execution_error', { ...of, exception_message: message, exception_type: 'RuntimeError' });
        return false;
      }
      this.move(run, node, 'finished', 1, 1);
    }
    return true;
  }

  private async runNode(run: PromptRun, node: string): Promise<void> {
    const { id: promptId, extra } = run.prompt;
    const world: NodeWorld = {
      files: this.files,
      signal: this.abort.signal,
      progress: (value, max) => {
        this.move(run, node, 'running', value, max);
        this.send(extra.client_id ?? null, 'progress', { value, max, prompt_id: promptId, node });
      },
      sendImage: (bytes) => this.dead || this.messenger.sendImage(extra.client_id ?? null, bytes),
    };
    const { result, ui } = await (this.classes[run.classOf(node)] as NodeClass).run(run.inputsOf(node), world);
    this.abort.signal.throwIfAborted();
    run.results.set(node, result);
    if (!ui) return;
    run.outputs[node] = ui;
    this.tellOwner(run, 'executed', { node, display_node: node, output: ui });
  }

  /** Kept in history. Without a client only an interruption is told, to everybody. */
  private tell({ prompt, messages }: PromptRun, type: string, data: object): void {
    const full = { prompt_id: prompt.id, ...data, timestamp: Date.now() };
    messages.push([type, full]);
    const client = prompt.extra.client_id ?? null;
    if (client !== null || type === 'execution_interrupted') this.send(client, type, full);
  }

  private tellOwner({ prompt }: PromptRun, type: string, data: object): void {
    if (prompt.extra.client_id) this.send(prompt.extra.client_id, type, { ...data, prompt_id: prompt.id });
  }

  /** Of all nodes that have begun. Without a client, everybody hears it. */
  private move({ prompt, states }: PromptRun, node: string, state: string, value: number, max: number): void {
    states[node] = { value, max, state, node_id: node, prompt_id: prompt.id, parent_node_id: null };
    this.send(prompt.extra.client_id ?? null, 'progress_state', { prompt_id: prompt.id, nodes: { ...states } });
  }

  private tellStatus(): void {
    this.send(null, 'status', { status: { exec_info: { queue_remaining: this.remaining } } });
  }

  private send(clientId: string | null, type: string, data: object): void {
    if (!this.dead) this.messenger.send(clientId, type, data);
  }
}

/** One prompt while it runs. */
class PromptRun {
  readonly order: string[];
  readonly results = new Map<string, unknown>();
  readonly outputs: Record<string, unknown> = {};
  readonly states: Record<string, object> = {};
  readonly messages: Array<[string, object]> = [];

  constructor(readonly prompt: QueuedPrompt) {
    this.order = [...new Set(prompt.outputs.flatMap((output) => [...behind(prompt.graph, output)]))];
  }

  classOf(node: string): string {
    return (this.prompt.graph[node] as GraphNode).class_type;
  }

  inputsOf(node: string): Record<string, unknown> {
    const { inputs } = this.prompt.graph[node] as GraphNode;
    const values = Object.entries(inputs).map(([name, value]) => [name, isLink(value) ? this.results.get(value[0]) : value]);
    return Object.fromEntries(values) as Record<string, unknown>;
  }

  entry(isDone: boolean): HistoryEntry {
    const { number, id, graph, extra, outputs } = this.prompt;
    const status_str = isDone ? 'success' : 'error';
    const status = { status_str, completed: isDone, messages: this.messages } as const;
    return { prompt: [number, id, graph, extra, outputs], outputs: this.outputs, status, meta: {} };
  }
}
