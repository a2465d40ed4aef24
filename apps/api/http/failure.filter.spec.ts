import { ForbiddenException, NotFoundException, type ArgumentsHost } from '@nestjs/common';
import { jobNotFound, rateLimited } from '#libs/errors/errors.js';
import { FailureFilter, toAppError } from './failure.filter.js';

const fastifyError = (statusCode: number) => Object.assign(new Error('inner words'), { code: 'FST_ERR_X', statusCode });
const withCode = (code: string) => Object.assign(new Error('inner words'), { code });

describe(toAppError.name, () => {
  it('takes an AppError as it is', () => {
    const failure = jobNotFound();
    expect(toAppError(failure)).toBe(failure);
  });

  it.each([
    [new NotFoundException('Cannot GET /x'), 'NOT_FOUND'],
    [new ForbiddenException(), 'FORBIDDEN'],
    [fastifyError(400), 'VALIDATION_ERROR'],
    [fastifyError(413), 'PAYLOAD_TOO_LARGE'],
    [fastifyError(415), 'UNSUPPORTED_MEDIA_TYPE'],
    [fastifyError(406), 'UNSUPPORTED_MEDIA_TYPE'],
    [fastifyError(500), 'INTERNAL_ERROR'],
    [withCode('ECONNREFUSED'), 'SERVICE_UNAVAILABLE'],
    [withCode('57P01'), 'SERVICE_UNAVAILABLE'],
    [withCode('23505'), 'INTERNAL_ERROR'],
    [Object.assign(new Error(), { statusCode: 404 }), 'INTERNAL_ERROR'],
    [new TypeError('inner words'), 'INTERNAL_ERROR'],
    ['inner words', 'INTERNAL_ERROR'],
    [undefined, 'INTERNAL_ERROR'],
  ])('answers %s with %s, without its words', (thrown, code) => {
    const failure = toAppError(thrown);
    expect(failure.code).toBe(code);
    expect(JSON.stringify([failure.message, failure.details])).not.toContain('inner words');
  });
});

describe(FailureFilter.name, () => {
  const error = jest.fn();
  const destroy = jest.fn();

  /** What is sent when `thrown` ends a request in this state. */
  function answerTo(thrown: unknown, { sent = false, arrived = true } = {}) {
    const answer: { status?: number; headers: Record<string, unknown>; body?: string } = { headers: {} };
    const reply = {
      sent,
      raw: { headersSent: sent, destroy },
      status: (status: number) => ((answer.status = status), reply),
      header: (name: string, value: unknown) => ((answer.headers[name] = value), reply),
      send: (body: string) => ((answer.body = body), reply),
    };
    const request = { id: 'r', log: { error }, raw: { destroyed: !arrived, complete: arrived } };
    const http = { getRequest: () => request, getResponse: () => reply };
    new FailureFilter().catch(thrown, { switchToHttp: () => http } as unknown as ArgumentsHost);
    return answer;
  }

  beforeEach(() => jest.clearAllMocks());

  it('says when to come back', () => {
    expect(answerTo(rateLimited(7))).toMatchObject({ status: 429, headers: { 'retry-after': 7 } });
  });

  it('logs what is our fault, and not what is the client’s', () => {
    answerTo(jobNotFound());
    expect(error).not.toHaveBeenCalled();
    const thrown = new Error('inner words');
    expect(answerTo(thrown).body).toBe(
      '{"success":false,"data":null,"error":"Internal server error","code":"INTERNAL_ERROR"}',
    );
    expect(error).toHaveBeenCalledWith({ err: thrown, code: 'INTERNAL_ERROR' }, expect.any(String));
  });

  it('cuts an answer off that has begun', () => {
    expect(answerTo(new Error(), { sent: true }).body).toBeUndefined();
    expect(destroy).toHaveBeenCalled();
  });

  it('makes nothing of a client that left in the middle of its request', () => {
    expect(answerTo(withCode('ECONNRESET'), { arrived: false }).body).toBeUndefined();
    expect(error).not.toHaveBeenCalled();
  });
});
