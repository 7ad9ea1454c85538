import { Catch, type ArgumentsHost, type ExceptionFilter } from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { problemOf } from './problem.ts';

/** Answers every error as `application/problem+json`; reports what is our own fault. */
@Catch()
export class ProblemFilter implements ExceptionFilter {
  readonly #report: (error: unknown) => void;
  constructor(report: (error: unknown) => void) {
    this.#report = report;
  }

  catch(error: unknown, host: ArgumentsHost): void {
    const http = host.switchToHttp();
    const reply = http.getResponse<FastifyReply>();
    const problem = problemOf(error, http.getRequest<FastifyRequest>().url);
    if (problem.status >= 500) this.#report(error);
    if (problem.status === 401) void reply.header('WWW-Authenticate', 'Bearer');
    void reply.status(problem.status).header('Content-Type', 'application/problem+json').send(problem);
  }
}
