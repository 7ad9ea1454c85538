export { createHttpApp, type HttpAppOptions } from './http-app.ts';
export { openApiDocument, type OpenApiOptions } from './openapi.ts';
export { ApiProblems } from './api-problems.decorator.ts';
export { problemOf, statusOf, type AppError, type Kind, type Problem } from './problem.ts';
