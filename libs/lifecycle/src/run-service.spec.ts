import { describe, expect, it, jest } from '@jest/globals';
import {
  BackingServices,
  Health,
  InFlight,
  prestop,
  runService,
  type ServiceOptions,
  type StepDetail,
} from './index.ts';
import { VirtualClock } from './testing/index.ts';

const done = () => Promise.resolve();
const never = () => new Promise<never>(() => {});

/** A service without a process: signals are called, exits are written down. */
function run(options: Partial<ServiceOptions> & { connect?: () => unknown } = {}) {
  const clock = new VirtualClock();
  const health = new Health({ clock });
  const inFlight = new InFlight();
  const log: string[] = [];
  const details: Record<string, StepDetail> = {};
  const services = new BackingServices({ clock, random: () => 1 })
    .attach('postgres', {
      connect: options.connect ?? done,
      disconnect: () => void log.push('disconnect postgres'),
    })
    .register(health);
  let listener: ((signal: string) => void) | undefined;
  const signal = (name = 'SIGTERM') => listener?.(name);
  const exit = jest.fn((code: number) => void log.push(`exit ${code}`));
  const host = {
    clock,
    exit,
    onSignal: (l: typeof listener) => ((listener = l), () => (listener = undefined)),
  };
  const service = {
    ...{ health, services, inFlight, drainMs: 2000 },
    listen: () => void log.push('listen'),
    begin: () => void log.push('begin'),
    close: () => void log.push('close'),
    end: () => void log.push('end'),
    onStep: (step: string, detail: StepDetail) => {
      log.push(`(${step})`);
      details[step] = detail;
    },
    ...options,
  };
  let outcome: unknown = 'runs';
  runService(service, host as never).then(
    () => (outcome = 'ended'),
    (error: unknown) => (outcome = error),
  );
  return { clock, health, inFlight, log, details, signal, exit, services, outcome: () => outcome };
}

describe('runService', () => {
  it('listens, connects, begins, and leaves in order', async () => {
    const { clock, log, signal, outcome, health } = run();
    await clock.advance(10);
    expect(health.startup().status).toBe('ok');
    signal();
    await clock.advance(2000);
    expect(log).toEqual([
      ...[
        'listen',
        '(listening)',
        '(connected)',
        'begin',
        '(started)',
        '(draining)',
        '(closing)',
        'close',
        '(closed)',
      ],
      ...['disconnect postgres', '(disconnected)', 'end', '(stopped)'],
    ]);
    expect(outcome()).toBe('ended');
    expect(clock.waiting).toBe(0);
  });

  it('answers probes while it waits for a late database', async () => {
    let there = false;
    const { clock, health, log } = run({
      connect: () => (there ? done() : Promise.reject(new Error('connection refused'))),
    });
    await clock.advance(60_000);
    expect(log).toEqual(['listen', '(listening)']);
    expect(health.live().status).toBe('ok');
    expect(health.startup().error['postgres']?.message).toContain('connection refused');
    expect((await health.ready()).status).toBe('error');
    there = true;
    await clock.advance(5000);
    expect((await health.ready()).status).toBe('ok');
  });

  it('is unready the moment the signal comes, and serves on for drainMs', async () => {
    const { clock, health, log, signal } = run();
    await clock.advance(10);
    signal();
    await clock.advance(1999);
    expect((await health.ready()).status).toBe('shutting_down');
    expect(log.at(-1)).toBe('(draining)');
    await clock.advance(1);
    expect(log).toContain('close');
  });

  it('leaves at once when the signal comes while it waits for a database', async () => {
    const { clock, log, signal, outcome } = run({ connect: never });
    await clock.advance(1000);
    signal();
    await clock.advance(0);
    expect(outcome()).toBe('ended');
    expect(log.filter((step) => step === 'disconnect postgres')).toHaveLength(1);
    expect(log.filter((step) => step.startsWith('('))).toEqual(
      ['listening', 'closing', 'closed', 'disconnected', 'stopped'].map((step) => `(${step})`),
    );
  });

  it('leaves at once when the signal comes while something begins', async () => {
    const { clock, health, signal, outcome } = run({ begin: never });
    await clock.advance(1000);
    signal();
    await clock.advance(0);
    expect(outcome()).toBe('ended');
    expect(health.startup().status).toBe('error');
  });

  it('waits for requests under way, and says how many', async () => {
    const { clock, inFlight, details, log, signal } = run();
    await clock.advance(10);
    const ends = [inFlight.begin(), inFlight.begin()];
    signal();
    await clock.advance(5000);
    expect(details).toMatchObject({ draining: { inFlight: 2 }, closing: { inFlight: 2 } });
    expect(log).not.toContain('(closed)');
    ends.forEach((end) => end());
    await clock.advance(0);
    expect(details['closed']).toEqual({ elapsedMs: 5000, signal: 'SIGTERM', inFlight: 0 });
  });

  it('exits 1 at the deadline, which counts from the signal, and says what was open', async () => {
    const { clock, inFlight, details, exit, signal } = run({ close: never, deadlineMs: 10_000 });
    await clock.advance(10);
    inFlight.begin();
    signal();
    await clock.advance(9999);
    expect(exit).not.toHaveBeenCalled();
    await clock.advance(1);
    expect(exit).toHaveBeenCalledWith(1);
    expect(details['deadline']).toEqual({
      ...{ elapsedMs: 10_000, signal: 'SIGTERM', inFlight: 1 },
      open: ['close', '1 requests', 'postgres'],
    });
  });

  it('exits 1 at once on a second signal', async () => {
    const { clock, exit, signal, details } = run();
    await clock.advance(10);
    signal();
    expect(exit).not.toHaveBeenCalled();
    signal('SIGINT');
    expect(exit).toHaveBeenCalledWith(1);
    expect(details['second_signal']).toMatchObject({ signal: 'SIGINT' });
  });

  it('closes the rest when something fails to close, and then fails', async () => {
    const close = () => Promise.reject(new Error('hook failed'));
    const { clock, log, signal, outcome } = run({ close });
    await clock.advance(10);
    signal();
    await clock.advance(2000);
    expect(log.slice(-6)).toEqual([
      ...['(failed)', '(closed)', 'disconnect postgres', '(disconnected)', 'end', '(stopped)'],
    ]);
    expect(outcome()).toEqual(new Error('hook failed'));
  });

  it('names the port that is taken, and serves nothing', async () => {
    const taken = { code: 'EADDRINUSE', address: '0.0.0.0', port: 3001 };
    const listen = () => Promise.reject(Object.assign(new Error('listen EADDRINUSE'), taken));
    const { clock, log, outcome } = run({ listen });
    await clock.advance(0);
    expect(String(outcome())).toBe("StartError: can't listen: 0.0.0.0:3001 is taken by another process");
    expect(log).not.toContain('begin');
  });

  it('closes what there is when beginning fails, without draining first', async () => {
    const begin = () => Promise.reject(new Error('no such topic'));
    const { clock, log, outcome } = run({ begin });
    await clock.advance(0);
    expect(outcome()).toEqual(new Error('no such topic'));
    expect(log.slice(3)).toEqual([
      ...[
        '(failed)',
        '(closing)',
        'close',
        '(closed)',
        'disconnect postgres',
        '(disconnected)',
        'end',
        '(stopped)',
      ],
    ]);
  });

  it('is not kept by a listener that throws', async () => {
    const { clock, signal, outcome } = run({
      onStep: () => {
        throw new Error('listener');
      },
    });
    await clock.advance(10);
    signal();
    await clock.advance(2000);
    expect(outcome()).toBe('ended');
  });

  it('refuses a deadline that the drain alone would reach', async () => {
    const { outcome, clock } = run({ drainMs: 5000, deadlineMs: 5000 });
    await clock.advance(0);
    expect(String(outcome())).toBe('RangeError: deadlineMs must be above drainMs (5000), got 5000');
  });
});

describe('prestop', () => {
  it('drains, answers when that is done, and the signal that follows waits no more', async () => {
    const { clock, health, log, signal, outcome } = run();
    await clock.advance(10);
    let answer: unknown;
    void prestop({ health, drainMs: 2000, clock })().then((it) => (answer = it));
    await clock.advance(1999);
    expect((await health.ready()).status).toBe('shutting_down');
    expect(answer).toBeUndefined();
    await clock.advance(1);
    expect(answer).toEqual({ status: 200, body: { drainedMs: 2000 } });
    signal();
    await clock.advance(0);
    expect(log).toContain('close');
    expect(outcome()).toBe('ended');
  });

  it('lets the signal wait for the rest of the drain only', async () => {
    const { clock, health, outcome, signal } = run();
    await clock.advance(10);
    void prestop({ health, drainMs: 2000, clock })();
    await clock.advance(1500);
    signal();
    await clock.advance(499);
    expect(outcome()).toBe('runs');
    await clock.advance(1);
    expect(outcome()).toBe('ended');
  });

  it('takes work again when no signal follows', async () => {
    const { clock, health } = run();
    await clock.advance(10);
    const call = prestop({ health, drainMs: 2000, resumeAfterMs: 10_000, clock });
    void call();
    await clock.advance(8000);
    void call();
    await clock.advance(9999);
    expect((await health.ready()).status).toBe('shutting_down');
    await clock.advance(1);
    expect((await health.ready()).status).toBe('ok');
  });
});
