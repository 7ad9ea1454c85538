import type { Alarm } from './reference-time.fixture.ts';
import type { Ticket } from './reference-breaker.fixture.ts';
import type { ReferenceService } from './reference-service.fixture.ts';
import type { CallPlan } from './commands.fixture.ts';
import { BUSY_MS, VERY_BUSY_MS, type WorkResult } from './work.fixture.ts';

export type Status = 'ok' | 'failed' | 'ignored' | 'cancelled' | 'rejected';

/** An error as the model knows it: how it reads, and who has retried in vain what it came from. */
export type ReferenceError = {
  text: string;
  retriedBy?: ReferenceService | 'another pipeline';
  cause?: ReferenceError | undefined;
};

/** How an attempt, or a call, ended. */
export type Ending = {
  status: Status;
  /** Of `ok`, and of a failure that is a value. */
  value?: string;
  error?: ReferenceError;
  /** Is the error made anew for each who asks? */
  fleeting?: boolean;
  code?: string;
  retryOn?: boolean;
  askedMs?: number;
};

export type ReferenceCall = {
  id: number;
  service: ReferenceService;
  plan: CallPlan;
  deadlineAtMs: number;
  deadlineAlarm: Alarm | null;
  attempts: ReferenceAttempt[];
  /** What it waits for between two attempts. */
  backOff: Alarm | null;
  /** Why it must end early. */
  interruption: Ending | null;
  over: boolean;
};

export type ReferenceAttempt = {
  key: string;
  call: ReferenceCall;
  state: 'waiting' | 'working' | 'given up' | 'over';
  ticket: Ticket | null;
  hasPermit: boolean;
  startedAtMs: number;
  alarm: Alarm | null;
  signal: 'not read' | 'read' | 'aborted';
  interruption: Ending | null;
  workIsDone: boolean;
};

export const failure = (text: string): Ending => ({ status: 'failed', error: { text } });

/** What the result of its work means for an attempt. */
export function endingOf(result: WorkResult, key: string, lastError: ReferenceError | undefined): Ending {
  const text = `${result} ${key}`;
  const error = { text };
  switch (result) {
    case 'value':
      return { status: 'ok', value: text };
    case 'bad value':
      return { status: 'failed', value: text, error: { text: `failed_result ${text}` }, fleeting: true };
    case 'puzzling value':
    case 'puzzling error':
      return { status: 'ignored', error: { text: 'what is this?' } };
    case 'failure':
      return { status: 'failed', error };
    case 'lasting failure':
      return { status: 'failed', error, retryOn: false };
    case 'busy':
      return { status: 'failed', error, askedMs: BUSY_MS };
    case 'very busy':
      return { status: 'failed', error, askedMs: VERY_BUSY_MS };
    case 'failure once more':
      return { status: 'failed', error: { ...error, cause: lastError } };
    case 'failure retried below':
      return { status: 'failed', error: { text, cause: { text: 'below', retriedBy: 'another pipeline' } } };
    case 'no failure':
      return { status: 'ignored', error };
    case 'AbortError':
      return { status: 'cancelled', error };
    case 'rejection':
      return { status: 'rejected', error: { text: 'bulkhead_full' } };
  }
}

/** Has the retry of another pipeline given up the same error, or one of its causes, five deep? */
export function wasRetried(error: ReferenceError | undefined, by: ReferenceService): boolean {
  const chain: ReferenceError[] = [];
  for (let one = error; one !== undefined && chain.length <= 5; one = one.cause) chain.push(one);
  return chain.some(({ retriedBy }) => retriedBy !== undefined && retriedBy !== by);
}

export function cancelledBy({ id, plan }: ReferenceCall): Ending {
  const whose =
    plan.signal === 'own' ? `caller ${id}` : plan.signal === 'shared' ? 'all callers' : 'a caller before';
  return { status: 'cancelled', error: { text: `cancelled because ${whose}` } };
}

export function rejection(code: string, detail = ''): Ending {
  return { status: 'rejected', code, error: { text: code + detail } };
}
