import { applyDecorators } from '@nestjs/common';
import { ApiResponse } from '@nestjs/swagger';
import { statusOf, type Kind } from './problem.ts';

const problemSchema = {
  type: 'object',
  required: ['type', 'title', 'status', 'code', 'detail'],
  properties: {
    type: { type: 'string' },
    title: { type: 'string' },
    status: { type: 'integer' },
    code: { type: 'string' },
    detail: { type: 'string' },
    instance: { type: 'string' },
  },
};

/** Documents the problems an operation may answer with: kind → when it happens. */
export function ApiProblems(problems: Partial<Record<Kind, string>>) {
  return applyDecorators(
    ...Object.entries(problems).map(([kind, description]) =>
      ApiResponse({
        status: statusOf(kind as Kind),
        description,
        content: { 'application/problem+json': { schema: problemSchema } },
      }),
    ),
  );
}
