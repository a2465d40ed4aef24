import { Body, Controller, Headers, Post, Res, StreamableFile } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import type { FastifyReply } from 'fastify';
import { fieldError, upstreamError } from '#libs/errors/errors.js';
import { generateHash, isHash } from '#libs/instruction-set/hash.js';
import { DraftQueue, DraftUndrawn, type DraftAnswer } from '#libs/queue/draft-queue.js';
import { Answers } from '../http/answers.js';
import { CurrentCaller, Policy, type Caller } from '../http/policy.js';
import { SubmitRate } from '../http/rates.js';
import { PreviewRequest, PreviewView } from './preview.dto.js';
import { Turns } from '../http/turns.js';

const TIMEOUT_MS = 20_000;
const UNDER_WAY_PER_USER = 2;

@ApiTags('Workflows')
@Policy('user')
@Controller('previews')
export class PreviewsController {
  private readonly turns = new Turns(UNDER_WAY_PER_USER);

  constructor(private readonly drafts: DraftQueue) {}

  /**
   * Draws a sketch once, on a worker. Nothing is stored or charged. A fault of the sketch is a
   * `VALIDATION_ERROR` on `code` with its line; when no worker draws it in time, `UPSTREAM_ERROR`. A user
   * who has two under way already is told `RATE_LIMITED`.
   */
  @Post()
  @SubmitRate()
  @Answers({ data: PreviewView, also: 'image/*' })
  async preview(
    @CurrentCaller() caller: Caller,
    @Body() body: PreviewRequest,
    @Headers('accept') accept: string | undefined,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<PreviewView | StreamableFile> {
    const hash = body.hash ?? generateHash();
    if (!isHash(hash)) throw fieldError('hash', 'must be "oo" and 49 characters of base58, or "0x" and 64 hex digits');
    const { code, width, height, variables = {} } = body;
    const draft = { code, hash, variables, width, height };
    const answer = await this.turns.take(caller.userId, () => this.draw(draft));
    if (!answer.ok) throw fieldError('code', answer.message);
    if (accept?.startsWith('image/')) {
      void reply.header('X-Platen-Hash', hash);
      return new StreamableFile(Buffer.from(answer.image, 'base64'), { type: answer.mimeType });
    }
    return {
      hash,
      image: `data:${answer.mimeType};base64,${answer.image}`,
      mime_type: answer.mimeType,
      width: answer.width,
      height: answer.height,
      traits: Object.entries(answer.features).map(([trait_type, value]) => ({ trait_type, value })),
      logs: answer.logs,
    };
  }

  private async draw(draft: Parameters<DraftQueue['request']>[0]): Promise<DraftAnswer> {
    try {
      return await this.drafts.request(draft, TIMEOUT_MS);
    } catch (error) {
      if (error instanceof DraftUndrawn) throw upstreamError('No worker could draw the sketch');
      throw error;
    }
  }
}
