import type { Guard } from './guard.js';

const SERVER = ['libs/comfyui/comfy-server.spec.ts'];
const SOCKET = ['libs/comfyui/server-socket.spec.ts'];
const POOL = ['libs/comfyui/comfy-servers.spec.ts'];
const KIND = ['libs/workflows/kinds/comfy-workflow.kind.spec.ts'];
const NODE = ['libs/nodes/comfy-workflow.node.spec.ts', 'libs/nodes/comfyui/faults.spec.ts'];

/** What ComfyUI servers must not do to a generation, nor a generation to them. */
export const comfyGuards: Guard[] = [
  {
    name: 'comfyui: half a graph is refused',
    file: 'libs/comfyui/prompt-refusal.ts',
    find: 'return isWhole(nodeErrors) ? undefined :',
    replace: 'return isWhole(null) ? undefined :',
    red: SERVER,
  },
  {
    name: 'comfyui: what is refused as a half is stopped',
    file: 'libs/comfyui/comfy-server.ts',
    find: 'if (status === 200) await this.cancel(promptId);',
    replace: '',
    red: SERVER,
  },
  {
    name: 'comfyui: an interruption meets nobody else',
    file: 'libs/comfyui/comfy-server.ts',
    find: "if (state?.kind === 'running') await this.post('/interrupt', { prompt_id: promptId });",
    replace: "await this.post('/interrupt', {});",
    red: SERVER,
  },
  {
    name: 'comfyui: between queue and history a prompt is not lost',
    file: 'libs/comfyui/comfy-server.ts',
    find: '(await this.queued(promptId)) ?? (await this.ended(promptId));',
    replace: '(await this.queued(promptId));',
    red: SERVER,
  },
  {
    name: 'comfyui: a socket that answers no ping is given up',
    file: 'libs/comfyui/server-socket.ts',
    find: 'if (!this.hasPonged || isIdle) return this.end();',
    replace: 'if (isIdle) return this.end();',
    red: SOCKET,
  },
  {
    name: 'comfyui: a socket that broke is another client afterwards',
    file: 'libs/comfyui/server-socket.ts',
    find: 'const clientId = randomUUID();',
    replace: "const clientId = randomUUID().replace(/.+/, 'platen');",
    red: SOCKET,
  },
  {
    name: 'comfyui: a silent server is asked by one at a time',
    file: 'libs/comfyui/comfy-servers.ts',
    find: 'if (this.asideUntil.has(server)) this.putAside(server);',
    replace: '',
    red: POOL,
  },
  {
    name: 'comfyui: what a silent server was left with is cancelled',
    file: 'libs/comfyui/comfy-servers.ts',
    find: 'this.cancelStrays(server);',
    replace: '',
    red: [...POOL, ...NODE],
  },
  {
    name: 'comfyui: a lost prompt goes to another server',
    file: 'libs/nodes/comfy-workflow.node.ts',
    find: "if (state.kind === 'unknown') return this.move(context, reference);",
    replace: "if (state.kind === 'unknown') return waiting(reference, FIRST_POLL_MS);",
    red: NODE,
  },
  {
    name: 'comfyui: what a dead worker sent is found again',
    file: 'libs/nodes/comfy-workflow.node.ts',
    find: 'uuidOf(token, PROMPT_IDS)',
    replace: 'uuidOf(`${token} ${Math.random()}`, PROMPT_IDS)',
    red: NODE,
  },
  {
    name: 'comfyui: nothing is left running that nobody waits for',
    file: 'libs/nodes/comfy-workflow.node.ts',
    find: 'if (isSent || context.signal.aborted) server.cancel(promptId)',
    replace: 'if (!isSent) server.cancel(promptId)',
    red: NODE,
  },
  {
    name: 'comfyui: nothing is left running that begins anew for its websocket',
    file: 'libs/nodes/comfy-workflow.node.ts',
    find: 'if (isSent || context.signal.aborted) server',
    replace: 'if (context.signal.aborted) server',
    red: NODE,
  },
  {
    name: 'comfyui: keys stay out of names',
    file: 'libs/comfyui/server-address.ts',
    find: 'name: host + path,',
    replace: 'name: text,',
    red: ['libs/comfyui/server-address.spec.ts'],
  },
  {
    name: 'comfyui: no graph reads files that others left at the server',
    file: 'libs/comfyui/server-files.ts',
    find: 'return ANNOTATED.test(value) ||',
    replace: 'return',
    red: KIND,
  },
  {
    name: 'comfyui: a question that one graph asks puts no server aside for all',
    file: 'libs/comfyui/comfy-servers.ts',
    find: 'const abilities = await told(',
    replace: 'const abilities = await this.ask(server, () =>',
    red: POOL,
  },
  {
    name: "comfyui: no word of a server about what is not the form's",
    file: 'libs/nodes/comfyui/faults.ts',
    find: "message: 'is refused by the ComfyUI server'",
    replace: 'message: reason',
    red: NODE,
  },
];
