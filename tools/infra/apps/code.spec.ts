import { describe, expect, it } from '@jest/globals';
import { commandsIn, pathsIn, subscriptionsIn } from './code.ts';

describe('the code', () => {
  it('names commands as keys of what runCommand is given', () => {
    const main = `const x = {\n  no: { },\n};\nawait runCommand('orders', {\n  serve: { does: '' },\n  'migrate:list': {\n    does: '',\n  },\n});`;
    expect(commandsIn(main)).toEqual(['serve', 'migrate:list']);
  });

  it('names paths where it answers them', () => {
    const code = `server.get('/health/ready', f);\n    '/prestop': prestop(),\n  if (path === '/metrics') {}\n // '/other'`;
    expect(pathsIn(code)).toEqual({ http: ['/health/ready'], management: ['/prestop', '/metrics'] });
  });

  it('names what it consumes in its contract', () => {
    const kafka = { groupId: { const: 'orders' } };
    const channel = { $ref: '#/channels/payments' };
    const operations = {
      a: { action: 'receive', channel, bindings: { kafka } },
      b: { action: 'send', channel },
    };
    expect(subscriptionsIn({ channels: { payments: { address: 'payments' } }, operations })).toEqual([
      { topic: 'payments', group: 'orders' },
    ]);
  });
});
