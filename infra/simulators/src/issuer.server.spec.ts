import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { createLocalJWKSet, decodeProtectedHeader, jwtVerify } from 'jose';
import type { JSONWebKeySet } from 'jose';
import { createIssuerServer } from './issuer.server.ts';
import { keyFile } from './keys.file.ts';
import { SigningKeys } from './keys.ts';

const issuerUrl = 'http://issuer.test:14011';

let folder: string;
let path: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'keys-'));
  path = join(folder, 'keys.json');
});
afterEach(() => rmSync(folder, { recursive: true }));

async function start() {
  const app = createIssuerServer({
    issuerUrl,
    keys: await SigningKeys.open(keyFile(path)),
    logLevel: 'silent',
  });
  return {
    app,
    token: async (payload: object) => (await app.inject({ method: 'POST', url: '/token', payload })).json(),
    jwks: async () => (await app.inject('/.well-known/jwks.json')).json<JSONWebKeySet>(),
    rotate: async () => (await app.inject({ method: 'POST', url: '/keys/rotate' })).json<{ kid: string }>(),
  };
}

const verify = (token: string, jwks: JSONWebKeySet, audience = 'cairn') =>
  jwtVerify(token, createLocalJWKSet(jwks), { issuer: issuerUrl, audience, algorithms: ['ES256'] });

describe('an issued token', () => {
  it('verifies against the served keys, with the claims that were asked for', async () => {
    const { token, jwks } = await start();
    const answer = await token({ sub: 'ada', ttl: 60, scope: 'orders:write' });
    expect(answer).toMatchObject({ token_type: 'Bearer', expires_in: 60 });
    const { payload, protectedHeader } = await verify(answer.access_token, await jwks());
    expect(payload).toMatchObject({ iss: issuerUrl, aud: 'cairn', sub: 'ada', scope: 'orders:write' });
    expect(payload.exp! - payload.iat!).toBe(60);
    expect(payload.jti).toEqual(expect.any(String));
    expect(protectedHeader).toEqual({ alg: 'ES256', typ: 'JWT', kid: (await jwks()).keys[0]?.kid });
  });

  it('does not verify for another audience or with a stranger’s keys', async () => {
    const { token, jwks } = await start();
    const { access_token } = await token({ sub: 'ada', audience: 'other' });
    await expect(verify(access_token, await jwks())).rejects.toThrow('"aud"');
    rmSync(path);
    const stranger = await start();
    await expect(verify(access_token, await stranger.jwks(), 'other')).rejects.toThrow('no applicable key');
  });

  it('can be had by a form as well', async () => {
    const { app } = await start();
    const headers = { 'content-type': 'application/x-www-form-urlencoded' };
    const answer = await app.inject({ method: 'POST', url: '/token', headers, payload: 'sub=ada&ttl=120' });
    expect(answer.statusCode).toBe(200);
    expect(answer.headers['cache-control']).toBe('no-store');
    expect(answer.json()).toMatchObject({ expires_in: 120 });
  });

  it.each([
    ['sub', {}],
    ['ttl', { sub: 'ada', ttl: 86_401 }],
    ['ttl', { sub: 'ada', ttl: 0 }],
    ['role', { sub: 'ada', role: 'admin' }],
  ])('is refused, naming %s, for %j', async (field, payload) => {
    const { token } = await start();
    expect(await token(payload)).toMatchObject({ status: 400, code: 'invalid_request', errors: [{ field }] });
  });
});

describe('the signing keys', () => {
  it('sign with the new one after a rotation and still publish the old one', async () => {
    const { token, jwks, rotate } = await start();
    const old = (await token({ sub: 'ada' })).access_token;
    const { kid } = await rotate();
    const young = (await token({ sub: 'ada' })).access_token;
    expect(decodeProtectedHeader(young).kid).toBe(kid);
    expect(decodeProtectedHeader(old).kid).not.toBe(kid);
    for (const one of [old, young]) await expect(verify(one, await jwks())).resolves.toBeDefined();
  });

  it('survive a restart, a rotation included, in a file for its owner only', async () => {
    const before = await start();
    const old = (await before.token({ sub: 'ada' })).access_token;
    await before.rotate();
    const after = await start();
    expect(await after.jwks()).toEqual(await before.jwks());
    await expect(verify(old, await after.jwks())).resolves.toBeDefined();
    expect(statSync(path).mode & 0o777).toBe(0o600);
    expect(JSON.parse(readFileSync(path, 'utf8')).keys.map((key: object) => 'd' in key)).toEqual([
      true,
      false,
    ]);
  });

  it('are never served with their private half', async () => {
    const { jwks } = await start();
    for (const key of (await jwks()).keys) expect(key).not.toHaveProperty('d');
  });

  it('are refused when the file is damaged, without quoting it', async () => {
    writeFileSync(path, '{"keys":[{"kty":"EC","crv":"P-256","kid":"1"}]}');
    await expect(start()).rejects.toThrow('does not hold a JWK Set');
  });
});

describe('the issuer', () => {
  it('tells in its discovery document where everything is', async () => {
    const { app } = await start();
    expect((await app.inject('/.well-known/openid-configuration')).json()).toMatchObject({
      issuer: issuerUrl,
      jwks_uri: `${issuerUrl}/.well-known/jwks.json`,
      token_endpoint: `${issuerUrl}/token`,
    });
  });

  it('says on its page that it is for development only', async () => {
    const { app } = await start();
    expect((await app.inject('/')).body).toContain('FOR DEVELOPMENT ONLY');
  });
});
