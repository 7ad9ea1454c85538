import { describe, expect, it } from '@jest/globals';
import { Health } from './index.ts';
import { usage } from './commands.ts';

const up = () => Promise.resolve();
describe('Health', () => {
  it('is not ready before start-up is over', async () => {
    const health = new Health();
    expect(health.startup().status).toBe('error');
    expect((await health.ready()).status).toBe('error');
    health.started();
    expect((await health.ready()).status).toBe('ok');
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
