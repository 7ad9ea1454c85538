import { createRemoteJWKSet, errors, jwtVerify, type JWTVerifyGetKey } from 'jose';

export type VerifierOptions = {
  /** Where the issuer publishes its public keys. They are cached and fetched again when an unknown key id appears. */
  jwksUrl: string;
  issuer: string;
  audience: string;
  /** Tolerated difference between the clocks, in seconds. Default 5. */
  clockToleranceS?: number;
  /** For tests: the keys themselves. */
  keys?: JWTVerifyGetKey;
};

/** Resolves with the token's `sub`, or with the reason why it was refused; rejects when the keys can't be had. */
export type TokenVerifier = (token: string) => Promise<{ sub: string } | { refused: string }>;

// Asymmetric only: with HS256 allowed, the public key would serve as the secret (RFC 8725, section 2.1).
const ALGORITHMS = ['ES256', 'ES384', 'RS256', 'PS256', 'EdDSA'];

export function createVerifier(options: VerifierOptions): TokenVerifier {
  const { jwksUrl, issuer, audience, clockToleranceS = 5 } = options;
  const keys = options.keys ?? createRemoteJWKSet(new URL(jwksUrl), { timeoutDuration: 3000 });
  return async (token) => {
    try {
      const { payload } = await jwtVerify(token, keys, {
        issuer,
        audience,
        algorithms: ALGORITHMS,
        clockTolerance: clockToleranceS,
        requiredClaims: ['sub', 'exp'],
      });
      return payload.sub ? { sub: payload.sub } : { refused: 'the token names no subject' };
    } catch (error) {
      if (isRefusal(error)) return { refused: error.message };
      throw error;
    }
  };
}

/** A key set that can't be fetched is our trouble (503), not the caller's (401). */
function isRefusal(error: unknown): error is errors.JOSEError {
  return (
    error instanceof errors.JOSEError &&
    !(error instanceof errors.JWKSTimeout) &&
    error.code !== 'ERR_JOSE_GENERIC'
  );
}
