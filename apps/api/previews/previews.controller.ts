import { Body, Controller, Headers, HttpCode, Post, Res } from '@nestjs/common';
import type { FastifyReply } from 'fastify';
import { fieldError, serviceUnavailable } from '#libs/errors/errors.js';
import { generateHash, isHash } from '#libs/instruction-set/hash.js';
import { DraftQueue, DraftTimeout, type DraftAnswer } from '#libs/queue/draft-queue.js';
import { Policy } from '../http/policy.js';
import { SubmitRate } from '../http/rates.js';
import { PreviewRequest, type PreviewView } from './preview.dto.js';

const TIMEOUT_MS = 20_000;

@Controller('previews')
@Policy('user')
export class PreviewsController {
  constructor(private readonly drafts: DraftQueue) {}

  /**
   * Draws a sketch once, on a worker. Nothing is stored or charged. A fault of the sketch is a
   * `VALIDATION_ERROR` on `code` with its line; without a worker `SERVICE_UNAVAILABLE`.
   */
  @Post()
  @HttpCode(200)
  @SubmitRate()
  async preview(
    @Body() body: PreviewRequest,
    @Headers('accept') accept: string | undefined,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<PreviewView | Buffer> {
    const hash = body.hash ?? generateHash();
    if (!isHash(hash)) throw fieldError('hash', 'must be "oo" and 49 characters of base58, or "0x" and 64 hex digits');
    const { code, width, height, variables = {} } = body;
    const answer = await this.draw({ code, hash, variables, width, height });
    if (!answer.ok) throw fieldError('code', answer.message);
    if (accept?.startsWith('image/')) {
      void reply.type(answer.mimeType).header('X-Platen-Hash', hash);
      return Buffer.from(answer.image, 'base64');
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
      if (error instanceof DraftTimeout) throw serviceUnavailable();
      throw error;
    }
  }
}
