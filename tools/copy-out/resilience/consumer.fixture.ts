import { circuitBreaker, count, pipeline, type Outcome, type Pipeline } from '@cairn/resilience';
import { VirtualClock } from '@cairn/resilience/testing';

/** Compiled by strangers, under their own options: types must reach them through both builds. */
const billing: Pipeline<string> = pipeline({ name: 'billing', clock: new VirtualClock() })
  .fallback(({ status }) => `none: ${status}`)
  .retry({ attempts: 3, idempotent: true })
  .breaker({ window: count(100), openFor: '30s' })
  .timeout('800ms');

export const charged: Promise<string | number> = billing.execute((ctx) => ctx.attempt);
export const told: Promise<Outcome<number | string>> = billing.outcome(() => 1);
export const classic: Pipeline = circuitBreaker({ name: 'billing', failureThreshold: 5 });
export const typed: (order: string) => Promise<string> = billing.wrap(async (_ctx, order: string) => order);

// @ts-expect-error There is no such unit: it would compile if the types were not found.
pipeline('billing').timeout('2 fortnights');
