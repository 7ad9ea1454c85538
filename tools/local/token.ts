import { FIXED_PORTS } from './apps.ts';

/** A token of the development issuer for `sub`; `ttlS` in seconds. */
export async function fetchToken(
  sub: string,
  ttlS = 3600,
  issuer = process.env['ISSUER_URL'] ?? `http://127.0.0.1:${FIXED_PORTS.issuer}`,
): Promise<string> {
  const response = await fetch(`${issuer}/token`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ sub, ttl: ttlS }),
  }).catch((cause: unknown) => {
    throw new Error(`No issuer answers at ${issuer}. Is the stack up? Start it with: npm start`, { cause });
  });
  const body = (await response.json()) as { access_token?: string };
  if (!body.access_token) throw new Error(`The issuer refused: ${JSON.stringify(body)}`);
  return body.access_token;
}
