import { Body, Controller, Delete, Get, Param, Post, Query } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import { fieldError, notFound } from '#libs/errors/errors.js';
import { OperatorLog, type RecordedAction } from '#libs/operators/operator-log.js';
import { Pauses, type Pause } from '#libs/operators/pauses.js';
import { QueueView, type Running, type Waiting } from '#libs/operators/queue-view.js';
import { Answers } from '../http/answers.js';
import { parseUuid } from '../http/ids.js';
import { PageQuery } from '../http/paging.dto.js';
import { readCursor, toPage, type Page } from '../http/paging.js';
import { CurrentCaller, Policy, type Caller } from '../http/policy.js';
import {
  OperatorActionAnswer, PauseAnswer, PauseRequest, QueueAnswer, RunningAnswer, RunningQuery, WaitingAnswer, WaitingQuery,
} from './queue.dto.js';

const LANES_AT_MOST = 10;

@ApiTags('Operations')
@Policy('admin')
@Controller('admin/queue')
export class QueueController {
  constructor(
    private readonly view: QueueView,
    private readonly pauses: Pauses,
    private readonly log: OperatorLog,
  ) {}

  /** What is open in each lane, and what is paused: why, by whom and since when. */
  @Get()
  @Answers({ data: QueueAnswer })
  async overview(): Promise<QueueAnswer> {
    return { lanes: await this.view.waiting('lane', LANES_AT_MOST), pauses: await this.view.paused() };
  }

  /** Who or what waits, and for how long. */
  @Get('waiting')
  @Answers({ pageOf: WaitingAnswer, errors: ['VALIDATION_ERROR'] })
  async waiting(@Query() { by, limit }: WaitingQuery): Promise<Page<Waiting>> {
    return { items: await this.view.waiting(by, limit), next_cursor: null };
  }

  /** What runs, where, and until when its worker holds it. */
  @Get('running')
  @Answers({ pageOf: RunningAnswer, errors: ['VALIDATION_ERROR'] })
  async running(@Query() { limit }: RunningQuery): Promise<Page<Running>> {
    return { items: await this.view.running(limit), next_cursor: null };
  }

  /**
   * Pauses or drains a lane, a workflow, a user or everything. From the answer on no worker takes what is paused; what
   * runs goes on until it ends or has to wait. Deadlines stand still meanwhile.
   */
  @Post('pauses')
  @Answers({
    status: 201, data: PauseAnswer, errors: ['VALIDATION_ERROR', 'ALREADY_PAUSED', 'WORKFLOW_NOT_FOUND', 'NOT_FOUND'],
  })
  pause(@CurrentCaller() { userId }: Caller, @Body() body: PauseRequest): Promise<Pause> {
    const { scope, mode, reason } = body;
    const until = body.until === undefined ? null : new Date(body.until);
    if (until && until.getTime() <= Date.now()) throw fieldError('until', 'must be in the future');
    return this.pauses.impose(userId, { scope, subject: subjectOf(body), mode, reason, until });
  }

  /** Ends a pause. One that has ended stays as it is: the answer says when, and by whom. */
  @Delete('pauses/:id')
  @Answers({ data: PauseAnswer, errors: ['NOT_FOUND'] })
  resume(@CurrentCaller() { userId }: Caller, @Param('id') id: string): Promise<Pause> {
    return this.pauses.lift(userId, parseUuid(id, () => notFound('Pause')));
  }

  /** What operators did, newest first. */
  @Get('actions')
  @Answers({ pageOf: OperatorActionAnswer, errors: ['VALIDATION_ERROR'] })
  async actions(@Query() { limit, cursor }: PageQuery): Promise<Page<RecordedAction>> {
    const [before = null] = readCursor(cursor, ['bigint']) ?? [];
    return toPage(await this.log.actions(limit + 1, before), limit, ({ id }) => [id]);
  }
}

function subjectOf({ scope, subject }: PauseRequest): string {
  if (scope === 'all' && subject) throw fieldError('subject', 'must be absent with the scope all');
  if (scope !== 'all' && !subject) throw fieldError('subject', `which ${scope}?`);
  return subject?.toLowerCase() ?? '';
}
