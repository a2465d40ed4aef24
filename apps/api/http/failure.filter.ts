import { Catch, HttpException, type ArgumentsHost, type ExceptionFilter } from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { isDatabaseUnavailable } from '#libs/database/database.js';
import { AppError, type ErrorCode } from '#libs/errors/app-error.js';
import {
  fieldError, forbidden, internalError, notFound, payloadTooLarge, serviceUnavailable, unauthenticated,
  unsupportedMediaType,
} from '#libs/errors/errors.js';
import { failureEnvelope } from './envelope.js';

declare module 'fastify' {
  interface FastifyRequest {
    /** The code that the request was answered with, if it failed. */
    failureCode?: ErrorCode;
  }
}

/** Answers whatever was thrown with the envelope. What is not an `AppError` shows nothing of itself. */
@Catch()
export class FailureFilter implements ExceptionFilter {
  catch(thrown: unknown, host: ArgumentsHost): void {
    const http = host.switchToHttp();
    const reply = http.getResponse<FastifyReply>();
    const request = http.getRequest<FastifyRequest>();
    const failure = toAppError(thrown);
    request.failureCode = failure.code;
    const isGone = isClientGone(request);
    if (!isGone) logFailure(request, failure, thrown);
    if (isGone || reply.sent || reply.raw.headersSent) {
      // The answer has begun (a stream): cutting it off is the only way left to say that it failed.
      reply.raw.destroy();
      return;
    }
    if (failure.retryAfterSeconds !== undefined) reply.header('retry-after', failure.retryAfterSeconds);
    if (failure.status === 401 && !reply.hasHeader('www-authenticate')) reply.header('www-authenticate', 'Bearer');
    reply
      .status(failure.status)
      .header('content-type', 'application/json; charset=utf-8')
      .send(JSON.stringify(failureEnvelope(failure)));
  }
}

/** What a failure means to the client. */
export function toAppError(thrown: unknown): AppError {
  if (thrown instanceof AppError) return thrown;
  if (isDatabaseUnavailable(thrown)) return serviceUnavailable();
  return fromStatus(statusOf(thrown)) ?? internalError();
}

/** Status of an exception of Nest or an error of Fastify (404 route, 413, 415, malformed request). */
function statusOf(thrown: unknown): number {
  if (thrown instanceof HttpException) return thrown.getStatus();
  const { statusCode, code } = (thrown ?? {}) as { statusCode?: unknown; code?: unknown };
  return typeof statusCode === 'number' && String(code).startsWith('FST_') ? statusCode : 500;
}

function fromStatus(status: number): AppError | undefined {
  switch (status) {
    case 401:
      return unauthenticated();
    case 403:
      return forbidden();
    // An over-long parameter (414) is an id like any other that does not exist.
    case 404:
    case 405:
    case 414:
      return notFound();
    case 413:
      return payloadTooLarge();
    case 406:
    case 415:
      return unsupportedMediaType();
    case 503:
      return serviceUnavailable();
    default:
      return status >= 400 && status < 500 ? fieldError('body', 'is malformed') : undefined;
  }
}

/** The client left before its request had arrived whole: nobody waits for an answer, and nothing is wrong here. */
const isClientGone = ({ raw }: FastifyRequest): boolean => raw.destroyed && !raw.complete;

function logFailure(request: FastifyRequest, failure: AppError, thrown: unknown): void {
  if (failure.status < 500) return;
  request.log.error({ err: thrown, code: failure.code }, failure.message);
}
