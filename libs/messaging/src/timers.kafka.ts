import RequestQueue from 'kafkajs/src/network/requestQueue/index.js';
import kafkaPackage from 'kafkajs/package.json' with { type: 'json' };

/**
 * kafkajs 2.2.4 plans a check of its pending requests after every request, whether any is pending or not, and with a
 * delay in the past. On Node 24 each idle connection then wakes up every millisecond and warns of a negative time-out.
 * Nothing pending and nothing throttled needs no check.
 */
type Queue = { pending: unknown[]; throttledUntil: number; scheduleCheckPendingRequests: () => void };

const PATCHED = Symbol.for('cairn.timers.kafka');

export function patchIdleTimers(): void {
  const prototype = (RequestQueue as unknown as { prototype: Queue & { [PATCHED]?: true } }).prototype;
  if (kafkaPackage.version !== '2.2.4' || prototype[PATCHED]) return;
  const original = prototype.scheduleCheckPendingRequests;
  prototype.scheduleCheckPendingRequests = function (this: Queue) {
    if (this.pending.length > 0 || this.throttledUntil > Date.now()) original.call(this);
  };
  prototype[PATCHED] = true;
}
