import type { HealthIndicatorResult } from '@nestjs/terminus';
import type { Check } from '../check.ts';

/**
 * An indicator of terminus (`() => this.db.pingCheck('db')`) as a check behind the readiness gate: with a time-out, a brief
 * memory, and run once however many ask.
 */
export function indicator(ask: () => PromiseLike<HealthIndicatorResult> | HealthIndicatorResult): Check {
  return async () => {
    const down = Object.values(await ask()).find(({ status }) => status === 'down');
    if (!down) return {};
    const { status: _, message, ...details } = down;
    throw Object.assign(new Error(typeof message === 'string' ? message : 'down'), { details });
  };
}
