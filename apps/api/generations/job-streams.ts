import type { FastifyReply, FastifyRequest } from 'fastify';
import { unauthenticated } from '#libs/errors/errors.js';
import { StreamTokens, type StreamAccess } from '#libs/events/stream-tokens.js';
import { EventGateway, type StreamRequest } from './event-gateway.js';

type Access = Pick<StreamAccess, 'userId'> & Partial<StreamAccess>;

/** Who asks for a job's stream, where the answer goes, and the token in the address, if there is one. */
interface JobStreamRequest {
  request: FastifyRequest;
  reply: FastifyReply;
  jobId: string;
  token: string | undefined;
}

/** A job's stream, for its owner and for who has a token of it. */
export class JobStreams {
  constructor(
    private readonly gateway: EventGateway,
    private readonly tokens: StreamTokens,
  ) {}

  /** Throws `UNAUTHENTICATED`, then what `assertSeen` and `EventGateway.openJob` throw. */
  async open(
    { request, reply, jobId, token }: JobStreamRequest,
    assertSeen: (userId: string) => Promise<unknown> = async () => undefined,
  ): Promise<void> {
    const access = await this.accessTo(jobId, request, token);
    await assertSeen(access.userId);
    await this.gateway.openJob(streamRequest(request, reply, access), jobId);
  }

  private async accessTo(jobId: string, request: FastifyRequest, token: string | undefined): Promise<Access> {
    if (request.caller) return { userId: request.caller.userId };
    if (token === undefined) throw request.authenticationFailure ?? unauthenticated();
    return this.tokens.redeem(token, jobId);
  }
}

export function streamRequest(
  request: FastifyRequest,
  reply: FastifyReply,
  { userId, validForMs }: Access,
): StreamRequest {
  const lastEventId = request.headers['last-event-id'];
  return {
    userId,
    reply,
    lastEventId: typeof lastEventId === 'string' ? lastEventId : undefined,
    ...(validForMs !== undefined && { validForMs }),
  };
}
