import type { FieldFault } from '#libs/errors/app-error.js';
import { NoServerAble, ServerUnreachable } from './comfy-error.js';
import { ComfyServer } from './comfy-server.js';
import type { Graph } from './graph.js';
import type { ModelFile } from './required-models.js';
import { serverAddress } from './server-address.js';
import type { SocketTimes } from './server-socket.js';

/** A model file that a workflow needs, and the servers that have it. */
export interface ModelAvailability {
  /** The folder of models: `checkpoints`, `loras`, … */
  kind: string;
  name: string;
  available: boolean;
  servers: string[];
}


export interface PoolTimes {
  /** How long a server that did not answer is left alone. */
  asideMs: number;
  /** How long an answer may take. */
  answerMs: number;
  sockets: SocketTimes;
}

/** Of one server: what its queue was, and what was sent since. */
interface Load {
  length: number;
  at: number;
}

const TIMES: PoolTimes = { asideMs: 10_000, answerMs: 10_000, sockets: { pingMs: 10_000, idleMs: 60_000 } };
const LOAD_MS = 1_000;
/** Per server. One that is away for long and comes back has lost them anyway. */
const MAX_STRAYS = 1_000;

/** The servers of `COMFYUI_URLS`. None is asked before it is needed. */
export class ComfyServers {
  private readonly servers: ComfyServer[];
  private readonly times: PoolTimes;
  private readonly asideUntil = new Map<ComfyServer, number>();
  private readonly loads = new Map<ComfyServer, Load>();
  private readonly strays = new Map<ComfyServer, Set<string>>();

  constructor(
    urls: readonly string[],
    times: Partial<PoolTimes> = {},
  ) {
    this.times = { ...TIMES, ...times };
    this.servers = urls.map((url) => new ComfyServer(serverAddress(url), this.times));
  }

  get isEmpty(): boolean {
    return this.servers.length === 0;
  }

  /** Whether what no server has is known to be nowhere: some answer, or there are none to answer. */
  get isKnown(): boolean {
    return this.isEmpty || this.answering().length > 0;
  }

  /** Undefined: it is configured no more. */
  find(name: string): ComfyServer | undefined {
    return this.servers.find((server) => server.name === name);
  }

  /**
   * The servers that answer and have what a graph needs, the least busy first. None: none of the able ones answers
   * now. Throws `NoServerAble` when all answered and each lacks something.
   */
  async able(graph: Graph, models: readonly ModelFile[]): Promise<ComfyServer[]> {
    const looks = await Promise.all(this.answering().map((server) => this.look(server, graph, models)));
    const answers = looks.filter((look) => look !== null);
    const able = answers.filter(({ lacking }) => lacking.length === 0);
    if (able.length === 0 && answers.length > 0 && answers.length === this.servers.length) {
      const [closest] = answers.sort((one, other) => one.lacking.length - other.lacking.length);
      throw new NoServerAble(closest?.lacking ?? []);
    }
    return able.sort((one, other) => one.load - other.load).map(({ server }) => server);
  }

  /** Notes a prompt that was just sent: its server's queue was read before it. */
  sent(server: ComfyServer, promptId: string): void {
    this.strays.get(server)?.delete(promptId);
    const load = this.loads.get(server);
    if (load) load.length += 1;
  }

  /** Null: it did not answer, and is put aside. One that was aside is tried by one caller at a time. */
  async ask<Result>(server: ComfyServer, question: () => Promise<Result>): Promise<Result | null> {
    if (this.isAside(server)) return null;
    if (this.asideUntil.has(server)) this.putAside(server);
    try {
      const answer = await question();
      this.asideUntil.delete(server);
      this.cancelStrays(server);
      return answer;
    } catch (error) {
      if (!(error instanceof ServerUnreachable)) throw error;
      this.putAside(server);
      return null;
    }
  }

  /** The server did not answer: others are taken for a while. */
  putAside(server: ComfyServer): void {
    this.asideUntil.set(server, Date.now() + this.times.asideMs);
    this.loads.delete(server);
    server.forget();
  }

  isAside(server: ComfyServer): boolean {
    return (this.asideUntil.get(server) ?? 0) > Date.now();
  }

  /** A prompt that a silent server may still run, though another does by now: cancelled when it answers again. */
  abandon(server: ComfyServer, promptId: string): void {
    this.putAside(server);
    const strays = this.strays.get(server) ?? new Set();
    if (strays.size < MAX_STRAYS) this.strays.set(server, strays.add(promptId));
  }

  /** The one server that knows a prompt. Those that do not answer are passed over. */
  async locate(promptId: string): Promise<ComfyServer | undefined> {
    const found = await Promise.all(
      this.answering().map((server) =>
        this.ask(server, async () => ((await server.state(promptId)).kind === 'unknown' ? undefined : server)),
      ),
    );
    return found.find((server) => server) ?? undefined;
  }

  /** Which of the model files are there, by the servers that answer. Answers are believed for 30 s. */
  async modelsOf(models: readonly ModelFile[]): Promise<ModelAvailability[]> {
    const answering = this.answering();
    return Promise.all(
      models.map(async ({ kind, name }) => {
        const having = await Promise.all(
          answering.map((server) => this.ask(server, () => server.abilities.hasModel(kind, name))),
        );
        const servers = answering.filter((_server, index) => having[index]).map((server) => server.name);
        return { kind, name, available: servers.length > 0, servers };
      }),
    );
  }

  async close(): Promise<void> {
    await Promise.all(this.servers.map((server) => server.close()));
  }

  /** Those that were not found silent within the last while. */
  private answering(): ComfyServer[] {
    return this.servers.filter((server) => !this.isAside(server));
  }

  private look(server: ComfyServer, graph: Graph, models: readonly ModelFile[]) {
    return this.ask(server, async () => {
      const [load, classes, having] = await Promise.all([
        this.load(server),
        server.lackedClasses(graph),
        Promise.all(models.map(({ kind, name }) => server.abilities.hasModel(kind, name))),
      ]);
      const lacking: FieldFault[] = [
        ...classes.map((name) => ({ field: 'workflow', message: `No server has the node ${name}` })),
        ...models
          .filter((_model, index) => !having[index])
          .map(({ kind, name }) => ({ field: `required_models.${kind}`, message: `No server has the model ${name}` })),
      ];
      return { server, load, lacking };
    });
  }

  private async load(server: ComfyServer): Promise<number> {
    const known = this.loads.get(server);
    if (known && Date.now() - known.at < LOAD_MS) return known.length;
    const load = { length: await server.queueLength(), at: Date.now() };
    this.loads.set(server, load);
    return load.length;
  }

  private cancelStrays(server: ComfyServer): void {
    const strays = this.strays.get(server) ?? [];
    this.strays.delete(server);
    for (const promptId of strays) server.cancel(promptId).catch(() => undefined);
  }
}
