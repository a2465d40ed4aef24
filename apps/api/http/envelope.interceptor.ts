import {
  Injectable, StreamableFile, type CallHandler, type ExecutionContext, type NestInterceptor,
} from '@nestjs/common';
import { SSE_METADATA } from '@nestjs/common/constants.js';
import type { FastifyReply } from 'fastify';
import { map, type Observable } from 'rxjs';
import { Answer, successEnvelope } from './envelope.js';

/** Puts what a handler returns into the envelope. Streams, server-sent events and sent replies pass. */
@Injectable()
export class EnvelopeInterceptor implements NestInterceptor {
  intercept(context: ExecutionContext, next: CallHandler): Observable<unknown> {
    if (Reflect.getMetadata(SSE_METADATA, context.getHandler())) return next.handle();
    const reply = context.switchToHttp().getResponse<FastifyReply>();
    return next.handle().pipe(map((result) => this.wrap(reply, result)));
  }

  private wrap(reply: FastifyReply, result: unknown): unknown {
    if (result instanceof StreamableFile || reply.sent) return result;
    if (!(result instanceof Answer)) return successEnvelope(result);
    reply.status(result.status).header('content-type', 'application/json; charset=utf-8');
    if (result.replayed) reply.header('idempotency-replayed', 'true');
    return result.text;
  }
}
