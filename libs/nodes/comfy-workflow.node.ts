import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { v5 as uuidOf } from 'uuid';
import { NoServerAble, PromptRefused, ServerUnreachable } from '#libs/comfyui/comfy-error.js';
import type { ComfyOrder } from '#libs/comfyui/comfy-order.js';
import type { ComfyServer } from '#libs/comfyui/comfy-server.js';
import type { ComfyServers } from '#libs/comfyui/comfy-servers.js';
import { PromptProgress } from '#libs/comfyui/prompt-progress.js';
import type { PromptListener } from '#libs/comfyui/server-socket.js';
import type { RemoteImages } from '#libs/outbound/remote-images.js';
import { lost, noServer, notConfigured, notInstalled, refused } from './comfyui/faults.js';
import { hasWebsocketOutput, SocketOutputs } from './comfyui/socket-outputs.js';
import { endedOutcome } from './comfyui/outcome.js';
import { upload } from './comfyui/uploads.js';
import {
  defineNode, type FetchedFile, type NodeContext, type NodeDefinition, type NodeOutcome, type Waiting,
} from './node.js';

/** How long the node bears with servers. Milliseconds. */
export interface ComfyPatience {
  /** A server that has not answered for so long has lost its prompts. */
  silenceMs: number;
  /** How long a prompt waits for any server to answer. */
  placeMs: number;
}

const PATIENCE: ComfyPatience = { silenceMs: 30_000, placeMs: 600_000 };
/** Asked after less and less often; the websocket mostly says earlier that it has ended. */
const FIRST_POLL_MS = 1_000;
const MAX_POLL_MS = 5_000;
/** Times that a prompt goes to another server. */
const MAX_MOVES = 5;
const SECOND_LOOK_MS = 500;
const PROMPT_IDS = '7d0c0b5e-58c5-4d5a-a6bb-5f8a7c9f8f4e';

/** What is stored while a prompt waits. */
interface Reference {
  prompt_id: string;
  /** Null: no server has answered yet. */
  server: string | null;
  polls: number;
  moves: number;
  /** Milliseconds of the epoch since when the server, or all of them, do not answer. */
  silent_since: number | null;
  fetched: FetchedFile[];
}

/** The prompt's id at the servers follows from the attempt's token, so a lost attempt's prompt is found again. */
const promptIdOf = (token: string): string => uuidOf(token, PROMPT_IDS);

/**
 * Runs a ComfyUI graph on the least busy server that can. While the prompt waits and runs, the step waits: the
 * process that sent it hears the server's websocket, reports progress and wakes the step at its end; any process asks
 * history, which is the truth. A server that dies, or forgets the prompt, is left for another one.
 */
export const comfyWorkflowNode = (
  servers: ComfyServers,
  images: RemoteImages,
  patience: ComfyPatience = PATIENCE,
): NodeDefinition => {
  const prompts = new ComfyPrompts(servers, images, patience);
  return defineNode<ComfyOrder>({
    name: 'comfy_workflow',
    aliases: [],
    title: 'ComfyUI graph',
    lane: 'provider',
    storedOnly: true,
    payload: {
      type: 'object',
      required: ['graph', 'files', 'inputs', 'models'],
      properties: {
        graph: { type: 'object', verbatim: true },
        files: { type: 'array' },
        inputs: { type: 'object' },
        models: { type: 'array' },
      },
    },
    timeLimitMs: 30 * 60_000,
    run: (context) => prompts.place(context, begun(promptIdOf(context.token))),
    poll: (context, reference) => prompts.ask(context, reference as unknown as Reference),
    find: async (context, lostToken) => {
      const reference = await prompts.find(context, begun(promptIdOf(lostToken)));
      return reference && storable(reference);
    },
    cancel: (reference) => prompts.cancel(reference as unknown as Reference),
  });
};

const begun = (promptId: string): Reference => ({
  prompt_id: promptId, server: null, polls: 0, moves: 0, silent_since: null, fetched: [],
});

const storable = (reference: Reference): Waiting['reference'] => ({
  ...reference, fetched: reference.fetched.map((file) => ({ ...file })),
});

const waiting = (reference: Reference, pollAfterMs: number): Waiting => ({
  kind: 'waiting', reference: storable(reference), pollAfterMs,
});

class ComfyPrompts {
  constructor(
    private readonly servers: ComfyServers,
    private readonly images: RemoteImages,
    private readonly patience: ComfyPatience,
  ) {}

  /** Sends the order to the first able server that takes it, the least busy one first. */
  async place(context: NodeContext<ComfyOrder>, reference: Reference): Promise<NodeOutcome> {
    if (this.servers.isEmpty) throw notConfigured();
    let refusal: PromptRefused | undefined;
    for (const server of await this.able(context)) {
      try {
        return await this.send(context, server, reference);
      } catch (error) {
        // A server without a model refuses what another one takes.
        if (error instanceof PromptRefused) refusal ??= error;
        else if (error instanceof ServerUnreachable) this.servers.abandon(server, reference.prompt_id);
        else throw error;
      }
    }
    if (refusal) throw refused(refusal, context.payload);
    const since = reference.silent_since ?? Date.now();
    if (Date.now() - since > this.patience.placeMs) throw noServer();
    return waiting({ ...reference, server: null, silent_since: since }, MAX_POLL_MS);
  }

  async ask(context: NodeContext<ComfyOrder>, reference: Reference): Promise<NodeOutcome> {
    if (reference.server === null) return this.place(context, reference);
    const server = this.servers.find(reference.server);
    if (!server) return this.move(context, reference);
    const state = await this.servers.ask(server, () => this.stateOf(server, reference.prompt_id));
    if (!state) return this.bear(context, reference, server);
    if (state.kind === 'unknown') return this.move(context, reference);
    if (state.kind !== 'pending' && state.kind !== 'running') {
      return endedOutcome(server, state, {
        fetched: reference.fetched, madeWith: { prompt: reference.prompt_id },
      });
    }
    const polls = reference.polls + 1;
    return waiting({ ...reference, polls, silent_since: null }, Math.min(MAX_POLL_MS, FIRST_POLL_MS * 1.5 ** polls));
  }

  /** The prompt of an attempt whose worker died. Its images, where they came over that worker's socket, are gone. */
  async find({ payload }: NodeContext<ComfyOrder>, reference: Reference): Promise<Reference | null> {
    const server = await this.servers.locate(reference.prompt_id);
    if (!server) return null;
    if (!hasWebsocketOutput(payload.graph)) return { ...reference, server: server.name };
    await server.cancel(reference.prompt_id).catch(() => undefined);
    return null;
  }

  async cancel({ server: name, prompt_id: promptId }: Reference): Promise<void> {
    const server = name === null ? undefined : this.servers.find(name);
    if (!server) return;
    const answer = await this.servers.ask(server, async () => (await server.cancel(promptId), true));
    if (!answer) throw noServer();
  }

  private able({ payload: { graph, models } }: NodeContext<ComfyOrder>): Promise<ComfyServer[]> {
    return this.servers.able(graph, models).catch((error: unknown) => {
      throw error instanceof NoServerAble ? notInstalled(error) : error;
    });
  }

  private async send(
    context: NodeContext<ComfyOrder>,
    server: ComfyServer,
    reference: Reference,
  ): Promise<NodeOutcome> {
    const { prompt_id: promptId } = reference;
    const { graph, fetched } = await upload(server, context, this.images);
    const outputs = hasWebsocketOutput(graph) ? new SocketOutputs(graph) : null;
    const hear = this.hearFor(context);
    const ear = await this.listen(server, promptId, outputs?.listener(hear) ?? { hear }, outputs !== null);
    let isSent = false;
    try {
      await server.submit(graph, promptId, ear.clientId);
      isSent = true;
      this.servers.sent(server, promptId);
      context.log('Queued at a ComfyUI server');
      context.signal.throwIfAborted();
      if (outputs) return await outputs.collect(server, promptId, context, fetched);
      return waiting({ ...reference, server: server.name, fetched, silent_since: null }, FIRST_POLL_MS);
    } catch (error) {
      ear.stop();
      // Whoever goes on begins anew, so nothing is to run for nobody.
      if (isSent || context.signal.aborted) server.cancel(promptId).catch(() => this.servers.abandon(server, promptId));
      throw error;
    }
  }

  private hearFor(context: NodeContext<ComfyOrder>): PromptListener['hear'] {
    const progress = new PromptProgress(context.payload.graph);
    return (message) => {
      const heard = progress.hear(message);
      if (heard) context.progress(heard.fraction, heard.message);
      if (message.type === 'executing' && message.node === null) context.wake();
    };
  }

  /** Without a websocket there is no progress, and the end is found by asking. */
  private async listen(
    server: ComfyServer,
    promptId: string,
    listener: PromptListener,
    isNeeded: boolean,
  ): Promise<{ clientId: string; stop(): void }> {
    try {
      return await server.socket.listen(promptId, listener);
    } catch (error) {
      if (isNeeded) throw new ServerUnreachable(server.name, (error as Error).message);
      return { clientId: randomUUID(), stop: () => undefined };
    }
  }

  /** One that is nowhere is looked for twice: it may have been on its way from queue to history. */
  private async stateOf(server: ComfyServer, promptId: string) {
    const state = await server.state(promptId);
    if (state.kind !== 'unknown') return state;
    await sleep(SECOND_LOOK_MS);
    return server.state(promptId);
  }

  /** A server may be silent for a moment and have lost nothing. */
  private bear(
    context: NodeContext<ComfyOrder>,
    reference: Reference,
    server: ComfyServer,
  ): NodeOutcome | Promise<NodeOutcome> {
    const since = reference.silent_since ?? Date.now();
    if (Date.now() - since <= this.patience.silenceMs) {
      return waiting({ ...reference, silent_since: since }, Math.min(MAX_POLL_MS, this.patience.silenceMs));
    }
    this.servers.abandon(server, reference.prompt_id);
    return this.move(context, reference);
  }

  /** Another server takes over, unless one has already and only that was not recorded. */
  private async move(context: NodeContext<ComfyOrder>, reference: Reference): Promise<NodeOutcome> {
    if (reference.moves >= MAX_MOVES) throw lost();
    const moved = { ...reference, polls: 0, moves: reference.moves + 1, silent_since: null };
    const server = await this.servers.locate(reference.prompt_id);
    if (server) return waiting({ ...moved, server: server.name }, FIRST_POLL_MS);
    context.log('The ComfyUI server lost the prompt');
    return this.place(context, moved);
  }
}
