import { describe, expect, it, jest } from '@jest/globals';
import { Health, healthAnswers, type HealthOptions, type HealthStatus } from './index.ts';
import { VirtualClock } from './testing/index.ts';

const up = () => Promise.resolve();
const down = () => Promise.reject(new Error('connection refused'));
const never = () => new Promise<never>(() => {});

function started(options?: HealthOptions) {
  const health = new Health(options);
  health.started();
  return health;
}

describe('readiness', () => {
  it('is not there before start-up is over', async () => {
    const health = new Health();
    expect((await health.ready()).status).toBe('error');
    health.started();
    expect((await health.ready()).status).toBe('ok');
  });

  it('is gone when a critical check fails, and says why in the format of terminus', async () => {
    const health = started().add('postgres', down).add('redis', up);
    const postgres = { status: 'down', message: 'connection refused' };
    expect(await health.ready()).toEqual({
      status: 'error',
      info: { redis: { status: 'up' } },
      error: { postgres },
      details: { postgres, redis: { status: 'up' } },
    });
  });

  it('is only degraded when an optional check fails', async () => {
    const health = started().add('cache', down, { critical: false }).add('postgres', up);
    const report = await health.ready();
    expect(report.status).toBe('degraded');
    expect(report.info['cache']).toEqual({ status: 'degraded', message: 'connection refused' });
    expect(report.error).toEqual({});
  });

  it('shows the figures that a check found', async () => {
    const health = started().add('outbox', () => ({ depth: 3, oldestAgeMs: 20 }));
    expect((await health.ready()).info).toEqual({ outbox: { depth: 3, oldestAgeMs: 20, status: 'up' } });
  });

  it('asks all checks at once, each for no longer than its own time', async () => {
    const clock = new VirtualClock();
    const health = started({ clock, timeoutMs: 1000 });
    health.add('slow', never).add('quick', never, { timeoutMs: 200, critical: false });
    const asked = health.ready();
    await clock.advance(1000);
    expect((await asked).details).toEqual({
      slow: { status: 'down', message: 'no answer in 1000 ms' },
      quick: { status: 'degraded', message: 'no answer in 200 ms' },
    });
    expect(clock.waiting).toBe(0);
  });

  it('ends what a check does by its signal when its time is over', async () => {
    const clock = new VirtualClock();
    let reason: unknown;
    const health = started({ clock }).add('hung', (signal) => {
      signal.addEventListener('abort', () => (reason = signal.reason));
      return never();
    });
    void health.ready();
    await clock.advance(1000);
    expect(reason).toEqual(new Error('no answer in 1000 ms'));
  });

  it('asks again only when the remembered answer is too old', async () => {
    const clock = new VirtualClock();
    const check = jest.fn(up);
    const health = started({ clock, cacheMs: 1000 }).add('counted', check).add('always', up, { cacheMs: 0 });
    await health.ready();
    await clock.advance(999);
    await health.ready();
    expect(check).toHaveBeenCalledTimes(1);
    await clock.advance(1);
    await health.ready();
    expect(check).toHaveBeenCalledTimes(2);
  });

  it('runs a check once for however many probes that come while it runs', async () => {
    const clock = new VirtualClock();
    const check = jest.fn(() => clock.sleep(500));
    const health = started({ clock, cacheMs: 0 }).add('shared', check);
    const probes = Promise.all(Array.from({ length: 50 }, () => health.ready()));
    await clock.advance(500);
    expect((await probes).map(({ status }) => status)).toEqual(Array(50).fill('ok'));
    expect(check).toHaveBeenCalledTimes(1);
  });

  it('does not pile up checks that hang, and asks again in the end', async () => {
    const clock = new VirtualClock();
    const check = jest.fn(never);
    const health = started({ clock, cacheMs: 0, timeoutMs: 1000 }).add('hung', check);
    const probe = async () => {
      const asked = health.ready();
      await clock.advance(1000);
      return (await asked).status;
    };
    for (let second = 0; second < 10; second++) expect(await probe()).toBe('error');
    expect(check).toHaveBeenCalledTimes(1);
    check.mockImplementation(() => Promise.resolve() as Promise<never>);
    expect(await probe()).toBe('ok');
  });

  it('is back as soon as a check that hung answers', async () => {
    const clock = new VirtualClock();
    let answer = () => {};
    const check = jest.fn(() => new Promise<void>((resolve) => (answer = resolve)));
    const health = started({ clock, cacheMs: 0, timeoutMs: 1000 }).add('frozen', check);
    const first = health.ready();
    await clock.advance(1500);
    expect((await first).status).toBe('error');
    answer();
    await clock.advance(0);
    check.mockImplementation(up);
    expect((await health.ready()).status).toBe('ok');
  });

  it('takes secrets out of what went wrong', async () => {
    const redact = (text: string) => text.replace(/:[^:@]+@/, ':***@');
    const health = started({ redact }).add('db', () =>
      Promise.reject(new Error('no postgres://a:canary@db')),
    );
    expect((await health.ready()).error).toEqual({
      db: { status: 'down', message: 'no postgres://a:***@db' },
    });
  });

  it('refuses two checks of one name, and times out of range', () => {
    const health = started().add('postgres', up);
    expect(() => health.add('postgres', up)).toThrow('there is a check "postgres" already');
    expect(() => health.add('a', up, { timeoutMs: 0 })).toThrow('timeoutMs must be above 0, got 0');
    expect(() => health.add('b', up, { cacheMs: -1 })).toThrow('cacheMs must be at least 0, got -1');
  });
});

describe('a process that drains', () => {
  it('is shutting down, and asks nobody any more', async () => {
    const check = jest.fn(up);
    const health = started().add('postgres', check);
    health.drain();
    const shutdown = { status: 'down', message: 'stopping' };
    expect(await health.ready()).toEqual({
      status: 'shutting_down',
      info: {},
      error: { shutdown },
      details: { shutdown },
    });
    expect(check).not.toHaveBeenCalled();
  });

  it('says so even when the drain begins while the checks run', async () => {
    const health = started().add('postgres', up);
    const asked = health.ready();
    health.drain();
    expect((await asked).status).toBe('shutting_down');
  });

  it('takes work again after a drain that was not for good, and only then', async () => {
    const health = started();
    health.drain({ forGood: false });
    health.resume();
    expect((await health.ready()).status).toBe('ok');
    health.drain({ forGood: false });
    health.drain();
    health.resume();
    expect((await health.ready()).status).toBe('shutting_down');
  });
});

describe('start-up', () => {
  it('fails until it is over and names what it waits for', () => {
    const health = new Health();
    health.waitFor(() => ({ postgres: { status: 'down', message: 'connecting' } }));
    expect(health.startup().error).toEqual({
      startup: { status: 'down', message: 'starting' },
      postgres: { status: 'down', message: 'connecting' },
    });
    health.started();
    expect(health.startup()).toEqual({ status: 'ok', info: {}, error: {}, details: {} });
  });
});

describe('liveness', () => {
  it('never looks at a dependency: a restart would not mend it', async () => {
    const check = jest.fn(down);
    const health = started().add('postgres', check);
    expect(health.live().status).toBe('ok');
    expect(check).not.toHaveBeenCalled();
  });

  it('is there before start-up is over, and while the process drains', () => {
    const health = new Health();
    expect(health.live().status).toBe('ok');
    health.drain();
    expect(health.live().status).toBe('ok');
  });

  it('fails when a part of the process has died for good', () => {
    const health = started();
    health.crashed('consumer', 'TypeError');
    expect(health.live()).toMatchObject({ status: 'error', error: { consumer: { message: 'TypeError' } } });
  });
});

describe('onChange', () => {
  it('is told once per change, not once per probe', async () => {
    const clock = new VirtualClock();
    const turns: HealthStatus[][] = [];
    let check: () => Promise<unknown> = up;
    const health = started({ clock, cacheMs: 0, onChange: (from, to) => turns.push([from, to]) });
    health.add('postgres', () => check());
    for (let probe = 0; probe < 3; probe++) await health.ready();
    check = down;
    for (let probe = 0; probe < 3; probe++) await Promise.all([health.ready(), health.ready()]);
    check = up;
    await health.ready();
    health.drain();
    health.drain();
    expect(turns).toEqual([
      ['error', 'ok'],
      ['ok', 'error'],
      ['error', 'ok'],
      ['ok', 'shutting_down'],
    ]);
  });

  it('turns no probe when it throws', async () => {
    const health = started({
      onChange: () => {
        throw new Error('listener');
      },
    });
    expect((await health.ready()).status).toBe('ok');
  });
});

describe('healthAnswers', () => {
  it('answers the three questions by path, with the status that the routes give', async () => {
    const health = new Health().add('postgres', down);
    const answers = healthAnswers(health);
    const statuses = async () =>
      Object.fromEntries(
        await Promise.all(
          Object.entries(answers).map(async ([path, answer]) => [path, (await answer()).status] as const),
        ),
      );
    expect(await statuses()).toEqual({ '/health/live': 200, '/health/startup': 503, '/health/ready': 503 });
    health.started();
    expect(await statuses()).toEqual({ '/health/live': 200, '/health/startup': 200, '/health/ready': 503 });
    expect((await answers['/health/ready']!()).body).toEqual(await health.ready());
  });
});
