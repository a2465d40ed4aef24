import { randomUUID } from 'node:crypto';
import type { Socket } from 'node:net';
import { fieldError } from '#libs/errors/errors.js';
import { failureEnvelope } from './envelope.js';

/**
 * Answers what the HTTP parser refuses. A connection on which nothing was ever sent is closed without a word:
 * its time is over, and clients that open connections ahead (undici does) would take an answer for that of the
 * request which they send just now, while that request is carried out.
 */
export function answerInvalidHttp(_error: Error, socket: Socket): void {
  if (!socket.writable || socket.bytesRead === 0) {
    socket.destroy();
    return;
  }
  const answer = JSON.stringify(failureEnvelope(fieldError('body', 'is not valid HTTP')));
  socket.end(
    `HTTP/1.1 400 Bad Request\r\nX-Request-Id: ${randomUUID()}\r\n` +
      `Content-Type: application/json; charset=utf-8\r\nContent-Length: ${Buffer.byteLength(answer)}\r\n` +
      `Connection: close\r\n\r\n${answer}`,
  );
}
