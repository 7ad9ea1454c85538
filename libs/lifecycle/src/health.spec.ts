import { describe, expect, it } from '@jest/globals';
import { Health } from './index.ts';
import { usage } from './commands.ts';

const up = () => Promise.resolve();
const down = () => Promise.reject(new Error('connection refused'));

function started(options?: ConstructorParameters<typeof Health>[0]) {
  const health = new Health(options);
  health.started();
  return health;
}

describe('Health', () => {
  it('is not ready before start-up is over', async () => {
    const health = new Health();
    expect(health.startup().status).toBe('unavailable');
    expect((await health.ready()).status).toBe('unavailable');
    health.started();
    expect((await health.ready()).status).toBe('ok');
  });

  it('is unavailable when a critical check fails and says why', async () => {
    const health = started();
    health.add('postgres', down);
    health.add('redis', up);
    expect(await health.ready()).toEqual({
      status: 'unavailable',
      checks: { postgres: { status: 'down', reason: 'connection refused' }, redis: { status: 'up' } },
    });
  });

  it('is only degraded when an optional check fails', async () => {
    const health = started();
    health.add('cache', down, { critical: false });
    expect((await health.ready()).status).toBe('degraded');
  });

  it('stays alive when a dependency is down: a restart would not mend it', async () => {
    const health = started();
    health.add('postgres', down);
    await health.ready();
    expect(health.live().status).toBe('ok');
  });

  it('fails liveness when a part of the process has died for good', () => {
    const health = started();
    health.crashed('consumer', 'TypeError');
    expect(health.live().status).toBe('unavailable');
  });

  it('gives up on a check that does not answer', async () => {
    const health = started({ timeoutMs: 5 });
    health.add('hung', () => new Promise(() => {}));
    expect((await health.ready()).checks['hung']).toEqual({ status: 'down', reason: 'no answer in 5 ms' });
  });

  it('asks again only when the remembered answer is too old', async () => {
    let now = 0;
    let asked = 0;
    const health = started({ cacheMs: 1000, now: () => now });
    health.add('counted', async () => void asked++);
    await health.ready();
    await health.ready();
    expect(asked).toBe(1);
    now = 1000;
    await health.ready();
    expect(asked).toBe(2);
  });

  it('is unready while it drains', async () => {
    const health = started();
    health.drain();
    expect((await health.ready()).status).toBe('unavailable');
  });
});

describe('usage', () => {
  it('lists the known commands for an unknown one', () => {
    const commands = {
      serve: { does: 'answers HTTP', run: up },
      migrate: { does: 'changes the schema', run: up },
    };
    expect(usage('orders', commands, 'sevre')).toBe(
      'orders: no command "sevre". There are:\n  serve    answers HTTP\n  migrate  changes the schema\n',
    );
  });
});
