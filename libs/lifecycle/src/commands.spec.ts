import { describe, expect, it } from '@jest/globals';
import { usage } from './commands.ts';

const done = () => Promise.resolve();

describe('usage', () => {
  it('lists the known commands for an unknown one', () => {
    const commands = {
      serve: { does: 'answers HTTP', run: done },
      migrate: { does: 'changes the schema', run: done },
    };
    expect(usage('orders', commands, 'sevre')).toBe(
      'orders: no command "sevre". There are:\n  serve    answers HTTP\n  migrate  changes the schema\n',
    );
  });
});
