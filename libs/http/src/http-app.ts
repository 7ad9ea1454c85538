import type { DynamicModule, LoggerService, Type } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { FastifyAdapter, type NestFastifyApplication } from '@nestjs/platform-fastify';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { Server } from 'node:https';
import { watchConnections } from './connections.ts';
import { ProblemFilter } from './problem.filter.ts';
import {
  ClientNotAllowedError,
  mutualTls,
  serverOptions,
  type MutualTlsOptions,
} from './tls/mutual.server.ts';
import { validationPipe } from './validation.ts';

export type HttpAppOptions = {
  logger: LoggerService;
  /** Called with every error that ends in a 5xx. */
  onError: (error: unknown) => void;
  /** Takes secrets out of every text of a problem. Default: texts go out as they are. */
  redact?: (text: string) => string;
  /** Adds plain Fastify routes and hooks before any module is made. */
  fastify?: (server: FastifyInstance) => void;
  /** Largest request body in bytes. Default 256 KiB. */
  bodyLimitBytes?: number;
  /** TLS with client certificates. Default: plain HTTP. */
  tls?: MutualTlsOptions | undefined;
};

/**
 * A Nest application on Fastify with problem details, validation and the timeouts that a server behind a balancer
 * needs: idle connections outlive the balancer's own idle time-out (60 s is usual), or it sends into a closed one.
 */
export async function createHttpApp(
  module: Type | DynamicModule,
  { logger, onError, redact, fastify, bodyLimitBytes = 256 * 1024, tls }: HttpAppOptions,
): Promise<NestFastifyApplication> {
  const filter = new ProblemFilter(onError, redact);
  const adapter = new FastifyAdapter({
    // What the router refuses never gets to Nest; Fastify's own answer would repeat the path.
    frameworkErrors: (error: Error, request: FastifyRequest, reply: FastifyReply) =>
      filter.answer(error, request, reply),
    bodyLimit: bodyLimitBytes,
    keepAliveTimeout: 65_000,
    requestTimeout: 30_000,
    // Readiness tells the balancer; answering 503 while it still sends would fail requests that can be served.
    return503OnClosing: false,
    forceCloseConnections: 'idle',
    ...(tls && { https: serverOptions(tls) }),
  });
  const server = adapter.getInstance() as unknown as FastifyInstance;
  const connections = watchConnections(server.server);
  server.addHook('preClose', () => connections.settle());
  fastify?.(server);
  if (tls) {
    const mayCall = mutualTls(server.server as unknown as Server, tls);
    // After the hooks that log and measure: a client that is refused is a request like others.
    server.addHook('onRequest', (request, reply, done) => {
      if (mayCall(request.raw.socket)) done();
      else filter.answer(new ClientNotAllowedError(), request, reply);
    });
  }
  const app = await NestFactory.create<NestFastifyApplication>(module, adapter, {
    logger,
    abortOnError: false,
  });
  app.useGlobalPipes(validationPipe());
  app.useGlobalFilters(filter);
  return app;
}
