// The last word to a client whose bytes are no HTTP: no request exists, so the answer is written by hand.
import type { Socket } from 'node:net';
import { ApiError, errorBody, errors } from './errors.ts';

const REASONS: ReadonlyMap<string, ApiError> = new Map([
  ['ERR_HTTP_REQUEST_TIMEOUT', new ApiError(408, 20408, 'The request took too long to arrive')],
  ['HPE_HEADER_OVERFLOW', new ApiError(431, 20431, 'The request headers are too large')],
]);

export function answerBrokenHttp(error: { readonly code?: string }, socket: Socket): void {
  if (socket.destroyed || !socket.writable || error.code === 'ECONNRESET') {
    socket.destroy();
    return;
  }
  const answer = REASONS.get(error.code ?? '') ?? errors.badRequest('The request is not valid HTTP');
  const body = JSON.stringify(errorBody(answer));
  socket.end(
    `HTTP/1.1 ${answer.status} Error\r\nContent-Type: application/json; charset=utf-8\r\n` +
      `Content-Length: ${Buffer.byteLength(body)}\r\nConnection: close\r\n\r\n${body}`,
  );
}
