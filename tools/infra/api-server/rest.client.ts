import { Agent, request as send } from 'node:https';

export type Answer = {
  status: number;
  body: unknown;
  /** What the server warned of while it did as asked: deprecated versions, pods that would be refused. */
  warnings: string[];
};
export type Request = (
  method: 'GET' | 'POST' | 'PATCH' | 'DELETE',
  path: string,
  body?: object,
) => Promise<Answer>;

export type Access = { port: number; token: string; ca: string };

/** Requests to an API server on loopback: plain REST, so that no client puts right or hides what a manifest says. */
export function restClient({ port, token, ca }: Access): Request {
  const agent = new Agent({ keepAlive: true, maxSockets: 16 });
  return (method, path, body) =>
    new Promise((resolve, reject) => {
      const headers = {
        authorization: `Bearer ${token}`,
        accept: 'application/json',
        // Every JSON is YAML as well, the only format of which server-side apply takes a whole object.
        ...(body && {
          'content-type': method === 'PATCH' ? 'application/apply-patch+yaml' : 'application/json',
        }),
      };
      const outgoing = send({ host: '127.0.0.1', port, ca, agent, method, path, headers }, (incoming) => {
        const chunks: Buffer[] = [];
        incoming.on('data', (chunk: Buffer) => chunks.push(chunk));
        incoming.on('error', reject);
        incoming.on('end', () => {
          const text = Buffer.concat(chunks).toString();
          const { statusCode: status = 0, headers: answered } = incoming;
          const isJson = answered['content-type']?.startsWith('application/json');
          const body: unknown = isJson ? JSON.parse(text) : text;
          resolve({ status, body, warnings: warningsOf(answered['warning']) });
        });
      });
      outgoing.on('error', reject);
      outgoing.end(body && JSON.stringify(body));
    });
}

/** `299 - "the text"`, several of them with commas between. Source: RFC 7234, section 5.5. */
export function warningsOf(header = ''): string[] {
  return [...header.matchAll(/299 \S+ "((?:[^"\\]|\\.)*)"/g)].map(([, text = '']) =>
    text.replace(/\\(.)/g, '$1'),
  );
}
