import { StandardSchemaValidationPipe } from '@nestjs/common';

type Issue = { message: string; path?: readonly (PropertyKey | { key: PropertyKey })[] };

/** A request that does not fit its schema. `errors` names every field and what is wrong with it. */
export class ValidationError extends Error {
  readonly code = 'invalid_request';
  readonly kind = 'invalid';
  readonly details: { errors: { field: string; message: string }[] };
  constructor(issues: readonly Issue[]) {
    super('The request does not fit its schema; "errors" says where.');
    this.details = { errors: issues.map((issue) => ({ field: fieldOf(issue), message: issue.message })) };
  }
}

/** Validates whatever a controller declares with `{ schema }` and hands the parsed value on. */
export const validationPipe = () =>
  new StandardSchemaValidationPipe({ exceptionFactory: (issues) => new ValidationError(issues) });

function fieldOf({ path }: Issue): string {
  return (path ?? []).map((step) => String(typeof step === 'object' ? step.key : step)).join('.') || '(all)';
}
