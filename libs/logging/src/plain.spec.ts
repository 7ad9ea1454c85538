import { describe, expect, it } from '@jest/globals';
import { captured } from './logger.fixture.ts';
import { newContext, withContext } from './index.ts';

/** What an attacker would send to have a second line, a cleared screen or a forged field. */
const HOSTILE = [
  '\r\n{"severity":"fatal"}',
  '\n',
  '\r',
  '\u2028next\u2029',
  '\u0085',
  '\u000b\u000c',
  '\0',
  '\u001b[2J\u001b[31m',
  '\u009b31m',
  '\u202edetrever',
  '"},{"severity":"fatal"',
  '\\"',
  '\ud800',
  '\ufeff',
];
// eslint-disable-next-line no-control-regex -- the point of it
const BREAKS = /[\0-\u0009\u000b-\u001f\u007f-\u009f\u2028\u2029\u202a-\u202e]/;

describe.each(HOSTILE.map((text) => [JSON.stringify(text), text]))(
  'one event is one line with %s',
  (_, text) => {
    const long = `${text}${'x'.repeat(200)}`;
    it.each([
      ['a message', (l) => l.info(text)],
      ['a long message', (l) => l.info(long)],
      ['a message with arguments', (l) => l.info('%s and %j', text, { [text]: text })],
      ['a field', (l) => l.info({ event: text, long })],
      ['a name', (l) => l.info({ [text]: 1, deep: { [text]: 1 } })],
      ['an error', (l) => l.info(Object.assign(new Error(text), { code: text, stack: text, name: text }))],
      ['a header', (l) => l.info({ headers: new Headers([['x-a', 'b']]), raw: { 'user-agent': text } })],
      ['a child', (l) => l.child({ [text]: text, of: { text } }).info('x')],
      ['a context', (l) => withContext(newContext({ correlationId: text }), () => l.info('x'))],
    ] as [string, (l: ReturnType<typeof captured>['logger']) => void][])('in %s', (_, log) => {
      const { logger, lines, last } = captured();
      log(logger);
      expect(lines).toHaveLength(1);
      expect(lines[0]!.indexOf('\n')).toBe(lines[0]!.length - 1);
      expect(lines[0]!.slice(0, -1)).not.toMatch(BREAKS);
      expect(last()).toMatchObject({ severity: 'info', 'service.name': 'orders' });
    });
  },
);

describe('whatever is logged', () => {
  class Order {
    id = 1;
    get total(): number {
      throw new Error('no total');
    }
  }
  const circle: Record<string, unknown> = { a: 1 };
  circle['self'] = circle;
  const throwing = {
    get bad() {
      throw new Error('broken getter');
    },
    good: 1,
  };
  const proxy = new Proxy(
    {},
    {
      ownKeys: () => {
        throw new Error('no keys');
      },
    },
  );

  it.each<[string, unknown, unknown]>([
    ['a circle', circle, { a: 1, self: '[Circular]' }],
    ['a big integer', { n: 12345678901234567890n }, { n: '12345678901234567890' }],
    ['a getter that throws', throwing, { bad: '[Throws: broken getter]', good: 1 }],
    [
      'a toJSON that throws',
      {
        toJSON: () => {
          throw new Error('no');
        },
      },
      '[Throws: no]',
    ],
    ['a proxy that throws', proxy, '[Throws: no keys]'],
    [
      'what throws no error',
      {
        get x() {
          // eslint-disable-next-line @typescript-eslint/only-throw-error -- some do
          throw null;
        },
      },
      { x: '[Throws: null]' },
    ],
    ['no numbers', [NaN, Infinity, -0], ['NaN', 'Infinity', 0]],
    [
      'functions and symbols',
      { f: () => 1, s: Symbol('s'), u: undefined, list: [() => 1] },
      { list: [null] },
    ],
    ['a date', { at: new Date(0) }, { at: '1970-01-01T00:00:00.000Z' }],
    ['no date', { at: new Date(NaN) }, { at: null }],
    ['a map and a set', { m: new Map([['a', 1]]), s: new Set([1]) }, { m: { a: 1 }, s: [1] }],
    ['headers', new Headers({ Accept: 'x', Cookie: 'canary' }), { accept: 'x', cookie: '[Redacted]' }],
    [
      'bytes',
      { b: Buffer.from('canary'), a: new ArrayBuffer(3) },
      { b: '[Buffer, 6 bytes]', a: '[ArrayBuffer, 3 bytes]' },
    ],
    ['an object of a class', new Order(), { id: 1 }],
    ['an emitter', { socket: process.stdout }, { socket: expect.stringMatching(/^\[\w+\]$/) }],
    ['a response', new Response('canary'), '[Response]'],
    ['a promise', Promise.resolve('canary'), '[Promise]'],
    ['an object without a prototype', Object.assign(Object.create(null), { a: 1 }), { a: 1 }],
    ['__proto__', JSON.parse('{"__proto__":{"polluted":1}}'), JSON.parse('{"__proto__":{"polluted":1}}')],
  ])('is written as plain data: %s', (_, given, expected) => {
    const { logger, last } = captured();
    logger.info({ event: 'x', given });
    expect(last()['given']).toEqual(expected);
    expect(({} as Record<string, unknown>)['polluted']).toBeUndefined();
  });

  it('never makes the call throw', () => {
    const { logger, lines } = captured();
    logger.info(throwing);
    logger.info(proxy);
    logger.info({
      get msg() {
        throw new Error('x');
      },
    });
    logger.info({
      get method() {
        throw new Error('x');
      },
    });
    logger.info('%j %o %d', throwing as never, proxy as never, 1 as never);
    logger.info(undefined as never);
    logger.info(null as unknown as object);
    logger.child(throwing).info('x');
    logger.child(proxy).info('x');
    expect(lines).toHaveLength(9);
    lines.forEach((line) => JSON.parse(line));
  });

  it('has a bounded length, and says what is missing', () => {
    const { logger, lines, last } = captured();
    logger.info({ text: 'x'.repeat(1_000_000), list: Array.from({ length: 10_000 }, (_, i) => i) });
    expect(last()['text']).toMatch(/^x{8192}…\[1000000 characters\]$/);
    expect(last()['list']).toHaveLength(101);
    expect((last()['list'] as unknown[]).at(-1)).toBe('…[10000 entries]');

    logger.info(Object.fromEntries(Array.from({ length: 10_000 }, (_, i) => [`k${i}`, 'x'.repeat(1000)])));
    logger.info('x'.repeat(1_000_000));
    logger.error(new Error('x'.repeat(1_000_000)));
    const tree = (depth: number): unknown => (depth ? Array(10).fill(tree(depth - 1)) : 'leaf');
    logger.info({ tree: tree(7) });
    for (const line of lines) expect(line.length).toBeLessThan(64 * 1024);
  });

  it('is cut where no secret is cut in two', () => {
    const { logger, lines } = captured();
    logger.info({ text: `${'x'.repeat(8192 - 8)}4111111111111111 and more` });
    expect(lines[0]).not.toContain('41111111');
  });

  it('cannot forge what we write ourselves', () => {
    const { logger, lines, last } = captured();
    logger.info({ severity: 'fatal', time: 'never', 'service.name': 'payments', event: 'x' });
    expect(last()).toMatchObject({
      severity: 'info',
      'service.name': 'orders',
      severity_: 'fatal',
      time_: 'never',
    });
    expect(lines[0]!.match(/"severity":/g)).toHaveLength(1);
  });
});
