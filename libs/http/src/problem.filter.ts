import { Catch, type ArgumentsHost, type ExceptionFilter } from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { instanceOf, problemOf, redactedProblem, retryAfterOf } from './problem.ts';

/** Answers every error as `application/problem+json`; reports what is our own fault. */
@Catch()
export class ProblemFilter implements ExceptionFilter {
  readonly #report: (error: unknown) => void;
  readonly #redact: (text: string) => string;

  constructor(report: (error: unknown) => void, redact: (text: string) => string = (text) => text) {
    this.#report = report;
    this.#redact = redact;
  }

  catch(error: unknown, host: ArgumentsHost): void {
    const http = host.switchToHttp();
    this.answer(error, http.getRequest<FastifyRequest>(), http.getResponse<FastifyReply>());
  }

  answer(error: unknown, { url, routeOptions }: FastifyRequest, reply: FastifyReply): void {
    const instance = instanceOf({ url, route: routeOptions.url });
    const problem = redactedProblem(problemOf(error, instance), this.#redact);
    if (problem.status >= 500) this.#report(error);
    if (problem.status === 401) void reply.header('WWW-Authenticate', 'Bearer');
    const retryAfterS = retryAfterOf(error, problem.status);
    if (retryAfterS !== undefined) void reply.header('Retry-After', String(retryAfterS));
    void reply.status(problem.status).header('Content-Type', 'application/problem+json').send(problem);
  }
}
