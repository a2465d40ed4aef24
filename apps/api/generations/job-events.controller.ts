import { Controller, Get, Param, Post, Query, Req, Res } from '@nestjs/common';
import { ApiHeader, ApiResponse, ApiTags } from '@nestjs/swagger';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { collectionNotFound, jobNotFound } from '#libs/errors/errors.js';
import { FIRST_USE_SECONDS, StreamTokens } from '#libs/events/stream-tokens.js';
import { JobQueries } from '#libs/generations/job-queries.js';
import { Answers, ApiErrors } from '../http/answers.js';
import { parseUuid } from '../http/ids.js';
import { CurrentCaller, Policy, type Caller } from '../http/policy.js';
import { EventGateway } from './event-gateway.js';
import { JobStreams, streamRequest } from './job-streams.js';
import { JobEventsQuery, StreamTokenAnswer } from './jobs.dto.js';

export const LastEventId = () =>
  ApiHeader({
    name: 'Last-Event-ID',
    required: false,
    description: 'The `id:` of the last event received: everything after it follows. Without it: a snapshot.',
  });

export const streamed = (description: string) =>
  ApiResponse({ status: 200, description, content: { 'text/event-stream': { schema: { type: 'string' } } } });

/**
 * Server-Sent Events. Recorded events carry `id:` and come once, in order, across reconnects; progress of
 * nodes (`node_progress`) carries none. A comment every 15 s keeps proxies from closing the stream.
 */
@ApiTags('Jobs')
@Controller()
export class JobEventsController {
  constructor(
    private readonly gateway: EventGateway,
    private readonly streams: JobStreams,
    private readonly jobs: JobQueries,
    private readonly tokens: StreamTokens,
  ) {}

  /** A job's events, until its last one. Takes a bearer token or, in `access_token`, a stream token. */
  @Get('jobs/:id/events')
  @Policy('public')
  @LastEventId()
  @streamed('`snapshot` with the whole job (ids are event numbers: 1, 2, 3 …), then its events')
  @ApiResponse({ status: 204, description: 'The job has ended and `Last-Event-ID` is its last event' })
  @ApiErrors('UNAUTHENTICATED', 'JOB_NOT_FOUND', 'RATE_LIMITED', 'SERVICE_UNAVAILABLE')
  async jobEvents(
    @Req() request: FastifyRequest,
    @Res() reply: FastifyReply,
    @Param('id') id: string,
    @Query() { access_token: token }: JobEventsQuery,
  ): Promise<void> {
    await this.streams.open({ request, reply, jobId: parseUuid(id, jobNotFound), token });
  }

  /** Events of all jobs of one of the caller's collections. Ids are opaque. */
  @Get('collections/:id/events')
  @Policy('user')
  @LastEventId()
  @streamed('`snapshot` with `jobs`, the newest 100 open ones; then the events of all jobs')
  @ApiErrors('COLLECTION_NOT_FOUND', 'RATE_LIMITED', 'SERVICE_UNAVAILABLE')
  async collectionEvents(
    @Req() request: FastifyRequest,
    @Res() reply: FastifyReply,
    @CurrentCaller() caller: Caller,
    @Param('id') id: string,
  ): Promise<void> {
    await this.gateway.openAccount(streamRequest(request, reply, caller), parseUuid(id, collectionNotFound));
  }

  /** Events of all of the caller's jobs on one stream, since browsers open six at most. Ids are opaque. */
  @Get('events')
  @Policy('user')
  @LastEventId()
  @streamed('`snapshot` with `jobs`, the newest 100 open ones; then the events of all jobs')
  @ApiErrors('RATE_LIMITED', 'SERVICE_UNAVAILABLE')
  async events(
    @Req() request: FastifyRequest,
    @Res() reply: FastifyReply,
    @CurrentCaller() caller: Caller,
  ): Promise<void> {
    await this.gateway.openAccount(streamRequest(request, reply, caller));
  }

  /**
   * A token for `?access_token=` of a job's stream: a browser's EventSource sends no headers. To be used
   * within 60 s, then good for that job for an hour, so that it can reconnect.
   */
  @Post('jobs/:id/stream-token')
  @Policy('user')
  @Answers({ status: 201, data: StreamTokenAnswer, errors: ['JOB_NOT_FOUND'] })
  async createStreamToken(
    @CurrentCaller() caller: Caller,
    @Param('id') id: string,
  ): Promise<StreamTokenAnswer> {
    const jobId = parseUuid(id, jobNotFound);
    await this.jobs.assertOwner(caller.userId, jobId);
    const token = await this.tokens.issue(caller.userId, jobId);
    return { token, expires_in: FIRST_USE_SECONDS, url: `/jobs/${jobId}/events?access_token=${token}` };
  }
}
