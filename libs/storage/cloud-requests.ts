import { Agent as PlainAgent, request as plainRequest, type ClientRequest, type IncomingMessage } from 'node:http';
import { Agent as SecureAgent, request as secureRequest } from 'node:https';
import type { Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { setTimeout as sleep } from 'node:timers/promises';
import { MAX_ATTEMPTS, TIME_LIMITS, type TimeLimits } from './time-limits.js';

const FIRST_DELAY_MS = 100;
const LONGEST_DELAY_MS = 20_000;
/** What a server says that may be able to do it a little later. */
const PASSING = new Set([408, 429, 500, 502, 503, 504]);

export interface CloudRequest {
  method: string;
  url: string;
  headers: Record<string, string>;
  /** In memory, so that it can be sent again. */
  body?: Uint8Array | string | null;
  signal?: AbortSignal;
  /** Whether the body of an answer with this status is wanted as a stream. Default: as text. */
  isStreamed?(status: number): boolean;
}

export interface CloudAnswer {
  status: number;
  headers: IncomingMessage['headers'];
  /** Empty where the body is streamed. */
  text: string;
  /** The body that was asked for as a stream. Ends with an error when it is cut, or nothing comes for too long. */
  stream?: Readable;
}

/**
 * HTTP as the clouds want it: connections are kept, a server that hangs is given up, and what may pass is tried
 * again with growing, jittered delays. Requests must be such that doing one twice does no harm.
 */
export class CloudRequests {
  private readonly limits: TimeLimits;
  private readonly plain = new PlainAgent({ keepAlive: true });
  private readonly secure = new SecureAgent({ keepAlive: true });

  constructor(limits?: Partial<TimeLimits>) {
    this.limits = { ...TIME_LIMITS, ...limits };
  }

  /** The answer, be it a refusal. Throws when there is none after all attempts, or with the signal's reason. */
  async send(request: CloudRequest): Promise<CloudAnswer> {
    for (let attempt = 1; ; attempt++) {
      request.signal?.throwIfAborted();
      const { answer, error } = await this.attempt(request).then(
        (answered) => ({ answer: answered, error: undefined }),
        (failure: unknown) => ({ answer: undefined, error: failure }),
      );
      request.signal?.throwIfAborted();
      if (answer && (!PASSING.has(answer.status) || attempt === MAX_ATTEMPTS)) return answer;
      if (attempt === MAX_ATTEMPTS) throw error;
      await sleep(delayAfter(attempt, answer), undefined, { signal: request.signal });
    }
  }

  close(): void {
    this.plain.destroy();
    this.secure.destroy();
  }

  private async attempt(request: CloudRequest): Promise<CloudAnswer> {
    const answer = await this.answerTo(request);
    const { statusCode: status = 0, headers } = answer;
    if (!request.isStreamed?.(status)) return { status, headers, text: await text(answer) };
    return { status, headers, text: '', stream: answer };
  }

  private answerTo({ method, url, headers, body, signal }: CloudRequest): Promise<IncomingMessage> {
    const { connectMs, idleMs, answerMs } = this.limits;
    const isSecure = url.startsWith('https:');
    const [send, agent] = isSecure ? [secureRequest, this.secure] : [plainRequest, this.plain];
    return new Promise((resolve, reject) => {
      const sent = send(url, { method, headers, agent, signal, timeout: idleMs });
      const give = (ms: number, what: string) =>
        setTimeout(() => sent.destroy(new Error(`The storage did not ${what} within ${ms} ms`)), ms);
      const answering = give(answerMs, 'answer');
      const connecting = give(connectMs, 'connect');
      whenConnected(sent, isSecure, () => clearTimeout(connecting));
      sent.on('timeout', () => sent.destroy(new Error(`The storage sent nothing for ${idleMs} ms`)));
      sent.once('response', (answer) => {
        clearTimeout(answering);
        resolve(answer);
      });
      sent.once('close', () => [answering, connecting].forEach((timer) => clearTimeout(timer)));
      // Stays: what goes wrong after the answer's head is told by its body.
      sent.on('error', reject);
      sent.end(body ?? undefined);
    });
  }
}

function whenConnected(sent: ClientRequest, isSecure: boolean, then: () => void): void {
  sent.once('socket', (socket) => {
    if (!socket.connecting) return then();
    socket.once(isSecure ? 'secureConnect' : 'connect', then);
  });
}

/** Full jitter; never sooner than the server asks, within reason. */
function delayAfter(attempt: number, answer: CloudAnswer | undefined): number {
  const asked = Number(answer?.headers['retry-after'] ?? 0) * 1_000;
  const own = Math.random() * FIRST_DELAY_MS * 2 ** attempt;
  return Math.min(Math.max(own, asked || 0), LONGEST_DELAY_MS);
}
