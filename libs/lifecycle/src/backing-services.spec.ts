import { describe, expect, it, jest } from '@jest/globals';
import { BackingServices, Health, type BackingServicesOptions } from './index.ts';
import { VirtualClock } from './testing/index.ts';

const refused = () => Promise.reject(new Error('connection refused'));
const never = () => new Promise<never>(() => {});
const done = () => Promise.resolve();

function setUp(options: BackingServicesOptions = {}) {
  const clock = new VirtualClock();
  return { clock, services: new BackingServices({ clock, random: () => 1, ...options }) };
}

/** What a promise has come to by now. */
async function stateOf(promise: Promise<unknown>, clock: VirtualClock) {
  let state: unknown = 'waits';
  promise.then(
    () => (state = 'resolved'),
    (error: unknown) => (state = error),
  );
  await clock.advance(0);
  return state;
}

/** A service that is there from a moment on, and minds how it is used. */
function lateService(clock: VirtualClock, thereAt: number, takesMs = 10) {
  let connecting = 0;
  const service = {
    most: 0,
    tries: [] as number[],
    connect: async () => {
      service.tries.push(clock.now());
      service.most = Math.max(service.most, ++connecting);
      await clock.sleep(takesMs);
      connecting--;
      if (clock.now() < thereAt) throw new Error('connection refused');
    },
    disconnect: jest.fn(done),
  };
  return service;
}

describe('connectAll', () => {
  it('connects all services at once', async () => {
    const { clock, services } = setUp();
    for (const name of ['postgres', 'redis', 'kafka']) services.attach(name, lateService(clock, 0, 300));
    const connected = services.connectAll();
    await clock.advance(300);
    expect(await stateOf(connected, clock)).toBe('resolved');
    expect(services.open).toEqual(['postgres', 'redis', 'kafka']);
  });

  it('waits for a late one with pauses that double up to the longest', async () => {
    const { clock, services } = setUp({ minDelayMs: 200, maxDelayMs: 1000 });
    const late = lateService(clock, 5000, 0);
    const connected = services.attach('postgres', late).connectAll();
    await clock.advance(6000);
    await connected;
    expect(late.tries).toEqual([0, 200, 600, 1400, 2400, 3400, 4400, 5400]);
  });

  it('takes at least half of a pause, and all of it at most', async () => {
    const { clock, services } = setUp({ random: () => 0 });
    const late = lateService(clock, 500, 0);
    const connected = services.attach('postgres', late).connectAll();
    await clock.advance(1000);
    await connected;
    expect(late.tries).toEqual([0, 100, 300, 700]);
  });

  it('says what it waits for, at once and then not more than once per 5 s, and when it is there', async () => {
    const told: unknown[] = [];
    const { clock, services } = setUp({
      onWait: (name, { attempt, error, waitedMs }) => told.push([name, attempt, String(error), waitedMs]),
      onUp: (name, up) => told.push([name, up]),
    });
    const connected = services.attach('postgres', lateService(clock, 12_000, 0)).connectAll();
    expect(services.waitingFor).toEqual(['postgres']);
    await clock.advance(20_000);
    await connected;
    expect(told).toEqual([
      ['postgres', 1, 'Error: connection refused', 0],
      ['postgres', 6, 'Error: connection refused', 6200],
      ['postgres', 7, 'Error: connection refused', 11_200],
      ['postgres', { attempts: 8, waitedMs: 16_200 }],
    ]);
    expect(services.waitingFor).toEqual([]);
  });

  it('is not held up by a listener that throws', async () => {
    const fail = () => {
      throw new Error('listener');
    };
    const { clock, services } = setUp({ onWait: fail, onUp: fail });
    const connected = services.attach('postgres', lateService(clock, 100)).connectAll();
    await clock.advance(1000);
    expect(await stateOf(connected, clock)).toBe('resolved');
  });

  it('does not wait for optional ones, which go on in the background', async () => {
    const { clock, services } = setUp();
    const kafka = { ...lateService(clock, 3000), critical: false };
    services.attach('postgres', lateService(clock, 0)).attach('kafka', kafka);
    const connected = services.connectAll();
    await clock.advance(10);
    expect(await stateOf(connected, clock)).toBe('resolved');
    expect((await services.healthCheckAll()).details).toEqual({
      postgres: { status: 'up' },
      kafka: { status: 'degraded', message: 'connecting, 1 failed: connection refused' },
    });
    await clock.advance(5000);
    expect((await services.healthCheckAll()).status).toBe('ok');
  });

  it('never connects one service twice at a time, however often it is called', async () => {
    const { clock, services } = setUp();
    const late = lateService(clock, 1000, 150);
    services.attach('postgres', late);
    const all = Promise.all([services.connectAll(), services.connectAll(), services.connectAll()]);
    await clock.advance(3000);
    await all;
    await services.connectAll();
    expect(late.most).toBe(1);
    expect(late.tries).toEqual([0, 350, 900]);
  });

  it('bounds a connect that hangs: aborts it, disconnects, and tries again', async () => {
    const { clock, services } = setUp({ connectTimeoutMs: 2000 });
    const told: string[] = [];
    const connect = jest.fn((signal: AbortSignal) => {
      if (connect.mock.calls.length > 1) return void told.push('connected');
      signal.addEventListener('abort', () => told.push('aborted'));
      return never();
    });
    const connected = services
      .attach('redis', { connect, disconnect: () => void told.push('disconnected') })
      .connectAll();
    await clock.advance(2000);
    expect(told).toEqual(['aborted', 'disconnected']);
    expect(services.waitingFor).toEqual(['redis']);
    await clock.advance(200);
    expect(await stateOf(connected, clock)).toBe('resolved');
    expect(told).toEqual(['aborted', 'disconnected', 'connected']);
  });

  it('lets a service say itself how a connect that hung is abandoned', async () => {
    const { clock, services } = setUp({ connectTimeoutMs: 2000 });
    const kafka = { connect: jest.fn(never), disconnect: jest.fn(done), abandon: jest.fn(done) };
    void services.attach('kafka', kafka).connectAll();
    await clock.advance(2000);
    expect(kafka.abandon).toHaveBeenCalledTimes(1);
    expect(kafka.disconnect).not.toHaveBeenCalled();
  });

  it.each([
    ['while it pauses', refused],
    ['while a connect hangs', never],
  ])('leaves at once when its signal aborts %s', async (_, connect) => {
    const { clock, services } = setUp();
    const leave = new AbortController();
    const disconnect = jest.fn(done);
    const optional = { connect: refused, disconnect: done, critical: false };
    services.attach('postgres', { connect, disconnect }).attach('kafka', optional);
    const connected = services.connectAll({ signal: leave.signal });
    await clock.advance(100);
    leave.abort(new Error('SIGTERM'));
    expect(await stateOf(connected, clock)).toEqual(new Error('SIGTERM'));
    expect(clock.waiting).toBe(0);
    expect(services.open).toEqual([]);
  });

  it('does not begin when its signal has aborted already', async () => {
    const { services } = setUp();
    const connect = jest.fn(done);
    services.attach('postgres', { connect, disconnect: done });
    await expect(services.connectAll({ signal: AbortSignal.abort(new Error('no')) })).rejects.toThrow('no');
    expect(connect).not.toHaveBeenCalled();
  });
});

describe('disconnectAll', () => {
  it('disconnects all at once, and only what was connected', async () => {
    const { clock, services } = setUp();
    const slow = { connect: done, disconnect: jest.fn(() => clock.sleep(300)) };
    const other = { connect: done, disconnect: jest.fn(() => clock.sleep(300)) };
    services.attach('postgres', slow).attach('redis', other);
    await services.disconnectAll();
    expect(slow.disconnect).not.toHaveBeenCalled();
    await services.connectAll();
    const disconnected = services.disconnectAll();
    await clock.advance(300);
    expect(await stateOf(disconnected, clock)).toBe('resolved');
    await services.disconnectAll();
    expect([slow.disconnect, other.disconnect].map(({ mock }) => mock.calls.length)).toEqual([1, 1]);
  });

  it('gives up on one that hangs or fails, and says so', async () => {
    const stuck: unknown[] = [];
    const { clock, services } = setUp({
      disconnectTimeoutMs: 1000,
      onStuck: (name, e) => stuck.push([name, e]),
    });
    services
      .attach('kafka', { connect: done, disconnect: never })
      .attach('redis', { connect: done, disconnect: refused });
    await services.connectAll();
    const disconnected = services.disconnectAll();
    await clock.advance(999);
    expect(await stateOf(disconnected, clock)).toBe('waits');
    expect(services.open).toEqual(['kafka']);
    await clock.advance(1);
    expect(await stateOf(disconnected, clock)).toBe('resolved');
    expect(stuck.map(String)).toEqual([
      'redis,Error: connection refused',
      'kafka,LateError: no answer in 1000 ms',
    ]);
  });

  it('ends what still connects in the background', async () => {
    const { clock, services } = setUp();
    const kafka = { connect: jest.fn(refused), disconnect: done, critical: false };
    await services.attach('kafka', kafka).connectAll();
    await clock.advance(1000);
    await services.disconnectAll();
    const { length } = kafka.connect.mock.calls;
    await clock.advance(60_000);
    expect(kafka.connect.mock.calls).toHaveLength(length);
  });

  it('can be followed by another connectAll', async () => {
    const { services } = setUp();
    const connect = jest.fn(done);
    services.attach('postgres', { connect, disconnect: done });
    await services.connectAll();
    await services.disconnectAll();
    await services.connectAll();
    expect(connect).toHaveBeenCalledTimes(2);
  });
});

describe('healthCheckAll and register', () => {
  it('ask all at once, each for a second at most', async () => {
    const { clock, services } = setUp();
    const attach = (name: string, check: () => unknown, critical = true) =>
      services.attach(name, { connect: done, disconnect: done, check, critical });
    attach('postgres', done);
    attach('redis', never);
    attach('kafka', refused, false);
    await services.connectAll();
    const asked = services.healthCheckAll();
    await clock.advance(1000);
    expect(await asked).toMatchObject({
      status: 'error',
      details: {
        postgres: { status: 'up' },
        redis: { status: 'down', message: 'no answer in 1000 ms' },
        kafka: { status: 'degraded', message: 'connection refused' },
      },
    });
  });

  it('tell start-up what it waits for, and readiness of all of them', async () => {
    const { clock, services } = setUp();
    const health = new Health({ clock });
    services
      .attach('postgres', lateService(clock, 1000))
      .attach('kafka', { connect: never, disconnect: done, critical: false })
      .register(health);
    const connected = services.connectAll();
    await clock.advance(100);
    expect(health.startup().error).toEqual({
      startup: { status: 'down', message: 'starting' },
      postgres: { status: 'down', message: 'connecting, 1 failed: connection refused' },
    });
    await clock.advance(3000);
    await connected;
    health.started();
    expect(await health.ready()).toMatchObject({
      status: 'degraded',
      details: { postgres: { status: 'up' }, kafka: { status: 'degraded', message: 'connecting' } },
    });
  });
});

describe('mistakes', () => {
  it('are refused at once, and quoted', () => {
    const { services } = setUp();
    services.attach('postgres', { connect: done, disconnect: done });
    expect(() => services.attach('postgres', { connect: done, disconnect: done })).toThrow(
      '"postgres" already',
    );
    expect(() => new BackingServices({ maxDelayMs: 0 })).toThrow('maxDelayMs must be above 0, got 0');
  });
});
