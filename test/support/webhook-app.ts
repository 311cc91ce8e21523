// The user's web application in tests: keeps every request it gets and answers what the test says.
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface ReceivedRequest {
  readonly method: string;
  readonly path: string;
  readonly headers: IncomingMessage['headers'];
  /** Of the body for POST, of the query for GET. */
  readonly parameters: Readonly<Record<string, string>>;
}

export interface WebhookApp {
  /** `http://127.0.0.1:port` */
  readonly url: string;
  readonly requests: readonly ReceivedRequest[];
  /** Resolves with the first request, past or future, that `matches`. */
  received(matches: (request: ReceivedRequest) => boolean): Promise<ReceivedRequest>;
  close(): Promise<void>;
}

export type Answer = (request: ReceivedRequest, response: ServerResponse) => void;

const noContent: Answer = (_request, response) => void response.writeHead(204).end();

export async function startWebhookApp(answer: Answer = noContent, host = '127.0.0.1'): Promise<WebhookApp> {
  const requests: ReceivedRequest[] = [];
  const waiting = new Set<() => void>();
  const server = createServer(async (message, response) => {
    const request = await read(message);
    requests.push(request);
    answer(request, response);
    for (const look of waiting) look();
  });
  // On a machine that stands still for seconds, a connection would be closed under a request that is on its way.
  server.keepAliveTimeout = 60_000;
  await new Promise<void>((resolve) => server.listen(0, host, resolve));
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://${host.includes(':') ? `[${host}]` : host}:${port}`,
    requests,
    received: (matches) =>
      new Promise((resolve) => {
        const look = () => {
          const found = requests.find(matches);
          if (!found) return;
          waiting.delete(look);
          resolve(found);
        };
        waiting.add(look);
        look();
      }),
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

async function read(message: IncomingMessage): Promise<ReceivedRequest> {
  const chunks: Buffer[] = [];
  for await (const chunk of message) chunks.push(chunk as Buffer);
  const path = message.url ?? '/';
  const form = message.method === 'POST' ? Buffer.concat(chunks).toString() : (path.split('?')[1] ?? '');
  return {
    method: message.method ?? '',
    path,
    headers: message.headers,
    parameters: Object.fromEntries(new URLSearchParams(form)),
  };
}
