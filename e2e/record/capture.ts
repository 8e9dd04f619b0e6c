// A proxy in front of the product that keeps every batch that was acknowledged, as it was posted.
import { createServer, request as forward, type IncomingMessage, type ServerResponse } from 'node:http';
import { connect } from 'node:net';

export interface Capture {
  /** Bodies in the order in which they were acknowledged. */
  bodies: Buffer[];
  close(): Promise<void>;
}

/** Listens on `port` and passes everything on to `targetPort`, web sockets too. */
export async function startCapture(port: number, targetPort: number): Promise<Capture> {
  const bodies: Buffer[] = [];
  const target = { host: '127.0.0.1', port: targetPort };
  const server = createServer((request, response) => void pass(request, response));

  async function pass(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const body = Buffer.concat(chunks);
    const { method, url, headers } = request;
    const onward = forward({ ...target, method, path: url, headers }, (answer) => {
      if (method === 'POST' && url === '/v1/batches' && answer.statusCode === 202) bodies.push(body);
      response.writeHead(answer.statusCode ?? 502, answer.headers);
      answer.pipe(response);
    });
    onward.once('error', () => response.writeHead(502).end());
    onward.end(body);
  }

  server.on('upgrade', (request, socket, head) => {
    const onward = connect(target, () => {
      const lines = Object.entries(request.headers).map(([name, value]) => `${name}: ${String(value)}`);
      onward.write(`${request.method} ${request.url} HTTP/1.1\r\n${lines.join('\r\n')}\r\n\r\n`);
      onward.write(head);
      socket.pipe(onward).pipe(socket);
    });
    const end = (): void => {
      onward.destroy();
      socket.destroy();
    };
    onward.on('error', end);
    socket.on('error', end);
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, '127.0.0.1', resolve);
  });
  return {
    bodies,
    close: () =>
      new Promise((resolve) => {
        server.closeAllConnections();
        server.close(() => resolve());
      }),
  };
}
