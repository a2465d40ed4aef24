import type { FieldFault } from '#libs/errors/app-error.js';

/** A server gave no answer, or one that is not a ComfyUI server's. It may be back in a moment. */
export class ServerUnreachable extends Error {
  constructor(server: string, reason: string) {
    super(`ComfyUI server ${server}: ${reason}`);
    this.name = 'ServerUnreachable';
  }
}

/** What is wrong with one input of one node. */
export interface NodeFault {
  nodeId: string;
  /** Absent: the node as a whole. */
  input?: string;
  message: string;
}

/** A server does not run this graph. It will not tomorrow either; another server might. */
export class PromptRefused extends Error {
  constructor(
    message: string,
    readonly faults: NodeFault[],
  ) {
    super(message);
    this.name = 'PromptRefused';
  }
}

/** In words of ours. */
export class InputTooLarge extends PromptRefused {
  constructor(name: string, limit: number | null) {
    super(`The server takes no input larger than ${limit ?? 'its limit'} bytes: ${name}`, []);
    this.name = 'InputTooLarge';
  }
}

/** No server can run it, as all of them say. */
export class NoServerAble extends Error {
  constructor(readonly lacking: FieldFault[]) {
    super(lacking.map(({ message }) => message).join('; '));
    this.name = 'NoServerAble';
  }
}
