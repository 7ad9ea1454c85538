import type { FastifyInstance } from 'fastify';
import { z } from 'zod';
import { createServer } from './http.server.ts';
import type { LogOptions } from './http.server.ts';
import type { SigningKeys } from './keys.ts';
import { issuerPage } from './page.ts';
import { parse } from './problem.ts';

export type IssuerServerOptions = LogOptions & { issuerUrl: string; keys: SigningKeys };

const warning = 'FOR DEVELOPMENT ONLY: this issuer gives anyone a token for any subject';

const tokenRequestSchema = z.strictObject({
  /** Who the token speaks for. */
  sub: z.string().min(1).max(200),
  /** Seconds; a string as well, because a form has nothing else. */
  ttl: z.coerce.number().int().min(1).max(86_400).default(3600),
  audience: z.string().min(1).max(200).default('cairn'),
  scope: z.string().min(1).max(1000).optional(),
});

export function createIssuerServer({ issuerUrl, keys, logLevel }: IssuerServerOptions): FastifyInstance {
  const app = createServer('token-issuer', { logLevel });
  app.log.warn({ issuer: issuerUrl }, warning);

  app.addContentTypeParser(
    'application/x-www-form-urlencoded',
    { parseAs: 'string' },
    (_request, body, done) => done(null, Object.fromEntries(new URLSearchParams(body.toString()))),
  );

  app.get('/.well-known/jwks.json', () => keys.jwks());
  app.get('/.well-known/openid-configuration', () => ({
    issuer: issuerUrl,
    jwks_uri: `${issuerUrl}/.well-known/jwks.json`,
    token_endpoint: `${issuerUrl}/token`,
    id_token_signing_alg_values_supported: ['ES256'],
  }));
  app.post('/token', async (request, reply) => {
    const { sub: subject, ttl: ttlSeconds, audience, scope } = parse(tokenRequestSchema, request.body);
    const token = await keys.sign({ issuer: issuerUrl, audience, subject, ttlSeconds, scope });
    reply.header('cache-control', 'no-store');
    return { access_token: token, token_type: 'Bearer', expires_in: ttlSeconds, ...(scope && { scope }) };
  });
  app.post('/keys/rotate', async () => ({ kid: await keys.rotate() }));
  app.get('/', (_request, reply) =>
    reply.type('text/html; charset=utf-8').send(issuerPage(issuerUrl, warning)),
  );
  return app;
}
