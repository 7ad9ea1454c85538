import { calculateJwkThumbprint, exportJWK, generateKeyPair, importJWK, SignJWT } from 'jose';
import type { JWK } from 'jose';

export type Claims = {
  issuer: string;
  audience: string;
  subject: string;
  ttlSeconds: number;
  scope?: string | undefined;
};

/** Keeps the keys, the signing key first. */
export type KeyStore = { load(): JWK[]; save(keys: JWK[]): void };

/** ES256 signing keys: one signs, those before it stay published so that their tokens still verify. */
export class SigningKeys {
  #keys: JWK[];
  readonly #store: KeyStore;

  private constructor(keys: JWK[], store: KeyStore) {
    this.#keys = keys;
    this.#store = store;
  }

  static async open(store: KeyStore): Promise<SigningKeys> {
    const keys = new SigningKeys(store.load(), store);
    if (keys.#keys.length === 0) await keys.rotate();
    return keys;
  }

  /** @returns the id of the new signing key */
  async rotate(): Promise<string> {
    const { privateKey } = await generateKeyPair('ES256', { extractable: true });
    const jwk = await exportJWK(privateKey);
    const kid = await calculateJwkThumbprint(jwk);
    // A retired key never signs again, so its private half is dropped.
    const keys = [{ ...jwk, kid, alg: 'ES256', use: 'sig' }, ...this.#keys.map(publicHalf)];
    this.#store.save(keys);
    this.#keys = keys;
    return kid;
  }

  /** The JSON Web Key Set (RFC 7517), public halves only. */
  jwks(): { keys: JWK[] } {
    return { keys: this.#keys.map(publicHalf) };
  }

  async sign(
    { issuer, audience, subject, ttlSeconds, scope }: Claims,
    now: Date = new Date(),
  ): Promise<string> {
    const [key] = this.#keys;
    if (!key?.kid) throw new Error('There is no signing key');
    const issuedAt = Math.floor(now.getTime() / 1000);
    return new SignJWT(scope === undefined ? {} : { scope })
      .setProtectedHeader({ alg: 'ES256', kid: key.kid, typ: 'JWT' })
      .setIssuer(issuer)
      .setAudience(audience)
      .setSubject(subject)
      .setIssuedAt(issuedAt)
      .setExpirationTime(issuedAt + ttlSeconds)
      .setJti(crypto.randomUUID())
      .sign(await importJWK(key, 'ES256'));
  }
}

function publicHalf({ d: _secret, ...rest }: JWK): JWK {
  return rest;
}
