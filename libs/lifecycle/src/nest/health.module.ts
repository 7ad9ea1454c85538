import type { DynamicModule } from '@nestjs/common';
import { TerminusModule } from '@nestjs/terminus';
import type { Health } from '../health.ts';
import { HEALTH, HealthController } from './health.controller.ts';

/** `/health/live`, `/health/ready` and `/health/startup` of a Nest application, by @nestjs/terminus. */
export class HealthModule {
  static for(health: Health): DynamicModule {
    return {
      module: HealthModule,
      // Its logger would write a line per failed probe; `onChange` of Health is told once per change.
      imports: [TerminusModule.forRoot({ logger: false })],
      controllers: [HealthController],
      providers: [{ provide: HEALTH, useValue: health }],
    };
  }
}
