/** The cases of `npm run bench -- resilience` and their limits; who takes part in them is in ours.ts and rivals.ts. */
export type CaseId =
  'full' | 'count' | 'time' | 'timeout' | 'rejection' | 'fallback' | 'outcome' | 'flight' | 'failure';

export interface Case {
  id: CaseId;
  title: string;
  unit: '×' | ' µs';
  /** What the figure may be at most, for us. */
  limit: number;
  /** What a call may add to what the bare one allocates (`fn`, its promise, the loop's own `await`). */
  maxBytes?: number;
  /** The figure of one batch: the time of one call and that of the floor in the same round, both in ms. */
  figure(callMs: number, floorMs: number): number;
}

const ratio = (callMs: number, floorMs: number) => callMs / floorMs;
const netMicroseconds = (callMs: number, floorMs: number) => (callMs - floorMs) * 1e3;

export const CASES: Case[] = [
  {
    id: 'full',
    title: 'retry + breaker + bulkhead + timeout, telemetry on',
    unit: '×',
    limit: 9,
    maxBytes: 900,
    figure: ratio,
  },
  { id: 'count', title: 'breaker alone, count window', unit: '×', limit: 3, figure: ratio },
  { id: 'time', title: 'breaker alone, time window + slow calls', unit: '×', limit: 5.5, figure: ratio },
  { id: 'timeout', title: 'timeout alone', unit: '×', limit: 6.5, figure: ratio },
  { id: 'rejection', title: 'rejection when open, fresh error', unit: '×', limit: 18, figure: ratio },
  { id: 'fallback', title: 'open + fallback', unit: '×', limit: 2, figure: ratio },
  { id: 'outcome', title: '`outcome` when open', unit: '×', limit: 1.5, figure: ratio },
  {
    // From the first `execute(fn, { signal })` until the last of the 5,000 has settled, `Promise.all` over them
    // included, by 5,000; less the same for 5,000 bare `fn()` that are pending together. `fn` gives a promise of its
    // own that is resolved once all calls are in flight, and does not read `ctx.signal`.
    id: 'flight',
    title: '5,000 calls in flight on one signal',
    unit: ' µs',
    limit: 1,
    figure: netMicroseconds,
  },
  {
    // `fn` throws (the same error each time), the breaker counts it, the caller catches it; less the same without a
    // breaker, because a throw out of an async function alone costs more than the limit. The legend says how much.
    id: 'failure',
    title: 'one failure with 100,000 calls in the window',
    unit: ' µs',
    limit: 1.5,
    figure: netMicroseconds,
  },
];

/** `failure` is O(1) when it costs no more than this many times what it costs with 100 calls in the window. */
export const MAX_SCALING = 3;

/** `default` is the library as it is configured out of the box, `small` our own with 100 calls in the window. */
export type Entrant =
  'floor' | 'ours' | 'small' | 'cockatiel' | 'cockatiel default' | 'opossum' | 'opossum default';

/** What one process found out about one case. */
export interface Finding {
  /** The median over the rounds. */
  figures: Partial<Record<Entrant, number>>;
  /** Allocated by one call. */
  bytes: { floor: number; ours: number };
  floorNs: number;
}

export type Findings = Record<CaseId, Finding>;

export function median(values: number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted.length % 2
    ? sorted[sorted.length >> 1]!
    : (sorted[sorted.length / 2 - 1]! + sorted[sorted.length / 2]!) / 2;
}
