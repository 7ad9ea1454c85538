import fc from 'fast-check';
import { anyResult, type WorkResult } from './work.fixture.ts';

/** How a call is made. */
export type CallPlan = {
  asOutcome: boolean;
  /** Whose signal it gets: none, one of its own, one that several calls share, or one that has aborted already. */
  signal: 'none' | 'own' | 'shared' | 'aborted';
  idempotent: 'no' | 'says so' | 'has a key';
  /** Of the caller, from now. */
  deadlineInMs: number | undefined;
  readsSignal: boolean;
  /** Its work ends as soon as its signal aborts. */
  heedsSignal: boolean;
  /** How the work ends if it begins with the call, and without waiting. */
  atOnce: WorkResult | undefined;
};

/** One thing that happens to a pipeline. `pick` chooses among what there is at that time. */
export type Command =
  | { do: 'call'; plan: CallPlan }
  | { do: 'settle'; pick: number; result: WorkResult }
  | { do: 'cancel'; pick: number }
  | { do: 'cancel and settle'; pick: number; result: WorkResult; settleFirst: boolean }
  | { do: 'cancel all' }
  | { do: 'advance'; ms: number }
  /** To the next thing that is due, and a millisecond before or after it. */
  | { do: 'advance to next'; offset: number }
  /** The event loop stood still. */
  | { do: 'block'; ms: number }
  | { do: 'isolate' | 'release' | 'snapshot' }
  /** Into this pipeline, or a new one that takes over. */
  | { do: 'restore'; fresh: boolean };

const plans: fc.Arbitrary<CallPlan> = fc.record({
  asOutcome: fc.boolean(),
  signal: fc.oneof(
    { weight: 8, arbitrary: fc.constant('none' as const) },
    { weight: 8, arbitrary: fc.constantFrom('own', 'shared') },
    { weight: 1, arbitrary: fc.constant('aborted' as const) },
  ),
  idempotent: fc.constantFrom('no', 'says so', 'has a key'),
  deadlineInMs: fc.option(fc.constantFrom(-100, 0, 627, 2_127), { nil: undefined, freq: 9 }),
  readsSignal: fc.boolean(),
  heedsSignal: fc.boolean(),
  atOnce: fc.option(anyResult, { nil: undefined, freq: 4 }),
});

const pick = fc.nat({ max: 7 });

export const anyCommand: fc.Arbitrary<Command> = fc.oneof(
  { weight: 10, arbitrary: fc.record({ do: fc.constant('call' as const), plan: plans }) },
  { weight: 10, arbitrary: fc.record({ do: fc.constant('settle' as const), pick, result: anyResult }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('cancel' as const), pick }) },
  {
    weight: 1,
    arbitrary: fc.record({
      do: fc.constant('cancel and settle' as const),
      pick,
      result: anyResult,
      settleFirst: fc.boolean(),
    }),
  },
  { weight: 1, arbitrary: fc.constant<Command>({ do: 'cancel all' }) },
  {
    weight: 5,
    arbitrary: fc.record({
      do: fc.constant('advance' as const),
      ms: fc.constantFrom(0, 1, 100, 250, 500, 1_000, 2_000, 5_000, 30_000),
    }),
  },
  {
    weight: 5,
    arbitrary: fc.record({
      do: fc.constant('advance to next' as const),
      offset: fc.constantFrom(-1, 0, 0, 1),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({ do: fc.constant('block' as const), ms: fc.constantFrom(1, 100, 1_000, 5_000) }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      do: fc.constantFrom('isolate' as const, 'release' as const, 'snapshot' as const),
    }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('restore' as const), fresh: fc.boolean() }) },
);

/**
 * The same with names in place of picks, as the reference model has resolved it. `key` names an attempt, `id` a call.
 */
export type Step =
  | { do: 'call'; id: number; plan: CallPlan }
  | { do: 'settle'; key: string; result: WorkResult }
  | { do: 'cancel'; id: number }
  | { do: 'cancel and settle'; id: number; key: string; result: WorkResult; settleFirst: boolean }
  | { do: 'cancel all' }
  | { do: 'advance'; ms: number }
  | { do: 'block'; ms: number }
  | { do: 'isolate' | 'release' | 'snapshot' }
  | { do: 'restore'; fresh: boolean };

/** What can be seen of a pipeline after a step. The same for the reference model and the real one. */
export type Observation = {
  /** What has happened in it, in order: works begun, events, signals aborted. */
  log: readonly string[];
  /** The calls that have settled, by number, with the time. */
  settled: readonly string[];
  state: string | undefined;
  retryAfterMs: number | undefined;
  counts: unknown;
};
