import { createParamDecorator, type CanActivate, type ExecutionContext } from '@nestjs/common';
import type { TokenVerifier } from './verifier.ts';

type AuthenticatedRequest = { headers: { authorization?: string }; customerId?: string };

class AuthError extends Error {
  readonly code: string;
  readonly kind: 'unauthenticated' | 'unavailable';
  constructor(kind: AuthError['kind'], code: string, message: string, cause?: unknown) {
    super(message, { cause });
    this.kind = kind;
    this.code = code;
  }
}

/**
 * The name of the metadata that lets requests in without a token: `true` on a controller, or on one of its methods, which
 * counts more. For probes and the like; `@cairn/lifecycle/nest` sets it on `/health/*`.
 */
export const PUBLIC = 'cairn:public';

/**
 * Lets a request in that carries a valid `Authorization: Bearer` token; its `sub` becomes the customer. Whatever is `PUBLIC`
 * needs none.
 */
export class JwtGuard implements CanActivate {
  readonly #verify: TokenVerifier;
  constructor(verify: TokenVerifier) {
    this.#verify = verify;
  }

  async canActivate(context: ExecutionContext): Promise<boolean> {
    if (isPublic(context)) return true;
    const request = context.switchToHttp().getRequest<AuthenticatedRequest>();
    const token = /^Bearer ([\w-]+\.[\w-]+\.[\w-]+)$/i.exec(request.headers.authorization ?? '')?.[1];
    if (!token) {
      throw new AuthError('unauthenticated', 'token_missing', 'Send "Authorization: Bearer <JWT>".');
    }
    const result = await this.#verify(token).catch((cause: unknown) => {
      throw new AuthError(
        'unavailable',
        'keys_unavailable',
        "The issuer's keys can't be fetched now.",
        cause,
      );
    });
    if ('refused' in result) {
      throw new AuthError(
        'unauthenticated',
        'token_refused',
        `The token is not accepted: ${result.refused}.`,
      );
    }
    request.customerId = result.sub;
    return true;
  }
}

/** Only `true` opens: anything else that somebody may have set there does not. */
function isPublic(context: ExecutionContext): boolean {
  const ofMethod: unknown = Reflect.getMetadata(PUBLIC, context.getHandler());
  return (ofMethod ?? Reflect.getMetadata(PUBLIC, context.getClass())) === true;
}

/** The customer that `JwtGuard` found in the token. */
export const Customer = createParamDecorator((_: unknown, context: ExecutionContext): string => {
  const { customerId } = context.switchToHttp().getRequest<AuthenticatedRequest>();
  if (!customerId) throw new Error('@Customer() on a route without JwtGuard');
  return customerId;
});
