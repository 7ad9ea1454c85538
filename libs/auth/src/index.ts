export { createVerifier, type TokenVerifier, type VerifierOptions } from './verifier.ts';
export { Customer, JwtGuard } from './jwt.guard.ts';
