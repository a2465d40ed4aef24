import type { Json, JsonObject } from '#libs/instruction-set/instruction-set.js';

/** What comes of a request to the API. */
export type CallFault =
  /** 429: `retryAfter` seconds in the header, `inDetail` seconds in the text only. */
  | { throttled: true; retryAfter?: number; inDetail?: number }
  /** An answer of this status, with this detail. */
  | { status: number; detail?: string }
  /** Nothing is done, and nothing is answered. */
  | 'hang'
  /** It is done at once, and answered so many milliseconds later. */
  | { answeredAfterMs: number }
  /** It is done, but the connection breaks before the answer. */
  | 'lost'
  /** It is done twice. */
  | 'doubled'
  /** 200 with something that is no JSON. */
  | 'garbled'
  | null;

/** What comes of a request for a file: cut after so many bytes, answered with a status, without ranges. */
export type FileFault = { cutAfter: number; hasRanges?: boolean } | { status: number } | null;

export interface Call {
  method: string;
  path: string;
  /** How many calls with the same method and path came before. */
  before: number;
}

/** A prediction as its creator asked for it. */
export interface Asked {
  id: string;
  model: string;
  input: JsonObject;
}

/** A webhook as it comes on a bad day. */
export interface Report {
  /** Milliseconds from the prediction's beginning, whether it has ended by then or not. */
  afterMs: number;
  /** What its sender calls it: the same again is a repeat. */
  id: string;
  /** The state it tells; default: the true one. */
  says?: string;
  /** How long ago it says that it was sent. */
  ageSeconds?: number;
  /** Default: the one that both sides know. */
  secret?: string;
}

/** How the stand-in behaves. Turn them at any time; without turning all is well. */
export interface ReplicateDials {
  /** How long it takes to create a prediction. */
  createMs: number;
  /** How long a prediction starts, and how long it runs then. */
  startMs: number;
  runMs: number;
  /** How it ends. Any other text is a state it stays in for good. */
  end(asked: Asked): 'succeeded' | 'failed' | 'canceled' | 'aborted' | (string & {});
  /** What it gives. `delivered` and `guarded` are URLs of images: the latter want the bearer. */
  output(asked: Asked, urls: { delivered(index: number): string; guarded(index: number): string }): Json;
  /** The output is removed as soon as it is there. */
  removesOutput: boolean;
  /** Inputs that the model takes; null: all. */
  inputNames: readonly string[] | null;
  onCall(call: Call): CallFault;
  onFile(call: Call): FileFault;
  /** Width and height of the images that are delivered. */
  pictureSize: number;
  /** Whether predictions show their deadline and their webhook. */
  showsDeadline: boolean;
  showsWebhook: boolean;
  /** Copies of each webhook, and the secret they are signed with. */
  webhookCopies: number;
  webhookSecret: string;
  /** Other webhooks than those of a good day: one when the prediction has ended, and its copies. */
  reports: ((asked: Asked) => Report[]) | null;
}

export const goodDays = (): ReplicateDials => ({
  createMs: 0,
  startMs: 20,
  runMs: 100,
  end: () => 'succeeded',
  output: (_asked, { delivered }) => [delivered(0)],
  removesOutput: false,
  inputNames: null,
  onCall: () => null,
  onFile: () => null,
  pictureSize: 64,
  showsDeadline: true,
  showsWebhook: false,
  webhookCopies: 1,
  webhookSecret: 'whsec_bWlzc2lvbi10ZXN0LXNlY3JldC0wMTIzNDU2Nzg5YWI=',
  reports: null,
});
