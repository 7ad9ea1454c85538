import { beforeAll, describe, expect, it } from '@jest/globals';
import { createLocalJWKSet, exportJWK, generateKeyPair, SignJWT, UnsecuredJWT, type CryptoKey } from 'jose';
import { createVerifier, type TokenVerifier } from './verifier.ts';

const issuer = 'https://issuer.example';
const audience = 'cairn';
let key: CryptoKey;
let publicText: string;
let verify: TokenVerifier;

beforeAll(async () => {
  const pair = await generateKeyPair('ES256', { extractable: true });
  key = pair.privateKey;
  const jwk = { ...(await exportJWK(pair.publicKey)), kid: 'k1', alg: 'ES256' };
  publicText = JSON.stringify(jwk);
  verify = createVerifier({
    jwksUrl: 'https://unused.example',
    issuer,
    audience,
    keys: createLocalJWKSet({ keys: [jwk] }),
  });
});

const token = (claims: Record<string, unknown> = {}) =>
  new SignJWT({
    sub: 'alice',
    iss: issuer,
    aud: audience,
    exp: Math.floor(Date.now() / 1000) + 60,
    ...claims,
  })
    .setProtectedHeader({ alg: 'ES256', kid: 'k1' })
    .sign(key);

describe('createVerifier', () => {
  it('accepts a token of the issuer and returns its subject', async () => {
    expect(await verify(await token())).toEqual({ sub: 'alice' });
  });

  it.each([
    ['another issuer', { iss: 'https://evil.example' }],
    ['another audience', { aud: 'other' }],
    ['an expired token', { exp: 1 }],
    ['no expiry', { exp: undefined }],
    ['no subject', { sub: undefined }],
  ])('refuses %s', async (_, claims) => {
    expect(await verify(await token(claims))).toHaveProperty('refused');
  });

  it('refuses an unsigned token and one signed with the public key as a shared secret', async () => {
    const claims = { sub: 'alice', iss: issuer, aud: audience, exp: Math.floor(Date.now() / 1000) + 60 };
    expect(await verify(new UnsecuredJWT(claims).encode())).toHaveProperty('refused');
    const confused = new SignJWT(claims).setProtectedHeader({ alg: 'HS256', kid: 'k1' });
    expect(await verify(await confused.sign(new TextEncoder().encode(publicText)))).toHaveProperty('refused');
  });

  it('rejects, instead of refusing the caller, when the keys cannot be fetched', async () => {
    const offline = createVerifier({ jwksUrl: 'http://127.0.0.1:9/jwks', issuer, audience });
    await expect(offline(await token())).rejects.toThrow();
  });
});
