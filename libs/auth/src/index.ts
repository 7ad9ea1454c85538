export { createVerifier, type TokenVerifier, type VerifierOptions } from './verifier.ts';
export { Customer, JwtGuard, PUBLIC } from './jwt.guard.ts';
