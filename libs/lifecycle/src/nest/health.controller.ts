import {
  Controller,
  Get,
  Header,
  Inject,
  Res,
  ServiceUnavailableException,
  SetMetadata,
} from '@nestjs/common';
import { HealthCheckService, HealthIndicatorService, type HealthCheckResult } from '@nestjs/terminus';
import type { Health } from '../health.ts';
import { httpStatusOf, type Finding, type HealthReport } from '../report.ts';
import { PUBLIC } from './public.ts';

/** Under which token the process' `Health` is provided. */
export const HEALTH = Symbol.for('cairn.lifecycle.health');

/** Fastify's reply and Express' response have this in common. */
type Reply = { status(code: number): unknown };

// Probes are no part of the API: what @nestjs/swagger's ApiExcludeController would set, without the package.
const NOT_DOCUMENTED = SetMetadata('swagger/apiExcludeController', [true]);

/** The three probes, each check an indicator of terminus that stands behind our gate. */
@SetMetadata(PUBLIC, true)
@NOT_DOCUMENTED
@Controller('health')
export class HealthController {
  readonly #health: Health;
  readonly #checks: HealthCheckService;
  readonly #indicators: HealthIndicatorService;

  constructor(
    @Inject(HEALTH) health: Health,
    @Inject(HealthCheckService) checks: HealthCheckService,
    @Inject(HealthIndicatorService) indicators: HealthIndicatorService,
  ) {
    this.#health = health;
    this.#checks = checks;
    this.#indicators = indicators;
  }

  @Get('live')
  @Header('Cache-Control', 'no-store')
  live(@Res({ passthrough: true }) reply: Reply) {
    return this.#answer(this.#health.live(), reply);
  }

  @Get('ready')
  @Header('Cache-Control', 'no-store')
  async ready(@Res({ passthrough: true }) reply: Reply) {
    return this.#answer(await this.#health.ready(), reply);
  }

  @Get('startup')
  @Header('Cache-Control', 'no-store')
  startup(@Res({ passthrough: true }) reply: Reply) {
    return this.#answer(this.#health.startup(), reply);
  }

  async #answer(report: HealthReport, reply: Reply): Promise<HealthCheckResult> {
    const result = await this.#checks
      .check(
        Object.entries(report.details).map(
          ([name, finding]) =>
            () =>
              this.#indicate(name, finding),
        ),
      )
      // An exception would go to the application's filters, which turn it into whatever their format of an error is.
      .catch(resultOf);
    reply.status(httpStatusOf(report));
    // Terminus notices a shutdown in one of Nest's last hooks, long after readiness has turned.
    return report.status === 'shutting_down' ? { ...result, status: 'shutting_down' } : result;
  }

  #indicate(name: string, { status, ...data }: Finding) {
    const session = this.#indicators.check(name);
    if (status === 'up') return session.up(data);
    return status === 'down' ? session.down(data) : session.degraded(data);
  }
}

function resultOf(error: unknown): HealthCheckResult {
  if (error instanceof ServiceUnavailableException) return error.getResponse() as HealthCheckResult;
  throw error;
}
