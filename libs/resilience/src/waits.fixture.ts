import { constant } from './backoff.ts';
import { systemClock } from './clock.ts';
import { pipeline } from './pipeline.ts';
import { consecutive } from './window.ts';

// A process whose calls wait: see traps.calls.spec.ts.
const keepAlive = process.argv[2] === 'patient';
const hour = '1h';
const clock = systemClock({ keepAlive });
const down = () => Promise.reject(new Error('down'));
const hung = () => new Promise<never>(() => {});

// It fails at once, and leaves nothing to wait for but a circuit that is open for an hour: no reason to stay in either mode.
void pipeline({ name: 'open', clock })
  .deadline(hour)
  .hedge({ after: hour, idempotent: true })
  .breaker({ window: consecutive(1), openFor: hour })
  .timeout(hour)
  .outcome(down);
if (!keepAlive) {
  const queued = pipeline({ name: 'queued', clock })
    .deadline(hour)
    .bulkhead({ max: 1, queue: 1, queueTimeout: hour })
    .timeout(hour);
  void queued.outcome(hung);
  void queued.outcome(hung);
  const paced = pipeline({ name: 'paced', clock }).rateLimit({ limit: 1, per: hour, maxWait: hour });
  void paced.outcome(down);
  void paced.outcome(down);
}
pipeline({ name: 'retrying', clock })
  .retry({ attempts: 2, idempotent: true, backoff: constant(keepAlive ? 1 : hour), jitter: 'none' })
  .outcome(down)
  .then(
    () => console.log('retried'),
    () => undefined,
  );
console.log('waiting');
