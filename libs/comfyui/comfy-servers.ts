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
  /** Host and port of each. */
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
    return (await this.wordOn(models)).map(({ file, servers }) => ({ ...file, available: servers.length > 0, servers }));
  }

  /** Those of the model files that are known to be nowhere: some server says so, or there is none to have them. */
  async lackedModels(models: readonly ModelFile[]): Promise<ModelFile[]> {
    const words = await this.wordOn(models);
    return words.filter(({ isKnown, servers }) => isKnown && servers.length === 0).map(({ file }) => file);
  }

  async close(): Promise<void> {
    await Promise.all(this.servers.map((server) => server.close()));
  }

  /** Those that were not found silent within the last while. */
  private answering(): ComfyServer[] {
    return this.servers.filter((server) => !this.isAside(server));
  }

  /** What the servers that answer say of model files. */
  private async wordOn(models: readonly ModelFile[]) {
    const loads = models.length === 0 ? [] : await Promise.all(this.answering().map((server) => this.alive(server)));
    const alive = loads.filter((answer) => answer !== null).map(({ server }) => server);
    return Promise.all(
      models.map(async (file) => {
        const having = await Promise.all(alive.map((server) => told(server.abilities.hasModel(file.kind, file.name))));
        const hosts = alive.filter((_server, index) => having[index]).map(({ address }) => address.host);
        return { file, servers: [...new Set(hosts)], isKnown: this.isEmpty || having.some((word) => word !== null) };
      }),
    );
  }

  /** Null: it does not answer, or not to this. The order asks much or little, so only its queue tells that it is away. */
  private async look(server: ComfyServer, graph: Graph, models: readonly ModelFile[]) {
    const alive = await this.alive(server);
    if (!alive) return null;
    const having = models.map(({ kind, name }) => server.abilities.hasModel(kind, name));
    const abilities = await told(Promise.all([server.lackedClasses(graph), Promise.all(having)]));
    if (!abilities) return null;
    const [classes, found] = abilities;
    const lacking: FieldFault[] = [
      ...classes.map((name) => ({ field: 'workflow', message: `No server has the node ${name}` })),
      ...models
        .filter((_model, index) => !found[index])
        .map(({ kind, name }) => ({ field: `required_models.${kind}`, message: `No server has the model ${name}` })),
    ];
    return { ...alive, lacking };
  }

  private alive(server: ComfyServer): Promise<{ server: ComfyServer; load: number } | null> {
    return this.ask(server, async () => ({ server, load: await this.load(server) }));
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

/** Null: it was not told. */
const told = <Word>(answer: Promise<Word>): Promise<Word | null> =>
  answer.catch((error: unknown) => {
    if (error instanceof ServerUnreachable) return null;
    throw error;
  });
