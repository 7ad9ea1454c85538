export { bulkhead, type BulkheadOptions } from './bulkhead.ts';
export { circuitBreaker, type BreakerOptions, type BreakerState, type CircuitBreaker } from './breaker.ts';
export { BulkheadFullError, CircuitOpenError, TimeoutError } from './errors.ts';
export { retry, type RetryOptions } from './retry.ts';
export { timeout } from './timeout.ts';
export type { Call, Policy } from './policy.ts';
