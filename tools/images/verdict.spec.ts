import { describe, expect, it } from '@jest/globals';
import { buildArguments, type Facts } from './build.ts';
import { containerViolations, imageViolations, privilegesOf, type Seen } from './verdict.ts';

const label = (name: string) => `org.opencontainers.image.${name}`;
const FACTS: Facts = {
  id: 'sha256:1',
  layers: ['a', 'b'],
  ownLayers: 1,
  ownBytes: 9e6,
  labels: Object.fromEntries(
    ['title', 'version', 'revision', 'created', 'licenses'].map((name) => [label(name), 'x']),
  ),
  env: [],
  user: '1000:1000',
  healthcheck: ['node', 'healthcheck.cjs'],
};

const status = (change: Record<string, string> = {}) =>
  Object.entries({
    Uid: '1000\t1000\t1000\t1000',
    ...Object.fromEntries(
      ['CapInh', 'CapPrm', 'CapEff', 'CapBnd', 'CapAmb'].map((set) => [set, '0000000000000000']),
    ),
    NoNewPrivs: '1',
    ...change,
  })
    .map(([name, value]) => `${name}:\t${value}`)
    .join('\n');
const SEEN: Seen = {
  status: status(),
  command: 'node --max-old-space-size-percentage=70 main.js all ',
  writing: { code: 1, err: "touch: cannot touch '/app/written': Read-only file system" },
  writable: [],
  healthyAfterS: 5,
  log: '',
  elsewhere: 1,
  exit: { code: 0, seconds: 0.6 },
};

describe('an image', () => {
  it('is as it has to be', () => expect(imageViolations(FACTS)).toEqual([]));

  it.each<[string, Partial<Facts>]>([
    ['60.1 MB over the base', { ownBytes: 60.1e6 }],
    ['its user is "node"', { user: 'node' }],
    ['its user is "0:0"', { user: '0:0' }],
    ['its user is ""', { user: '' }],
    ['no HEALTHCHECK', { healthcheck: [] }],
    ['the label revision is missing', { labels: { ...FACTS.labels, [label('revision')]: '' } }],
  ])('is not when %s', (sentence, change) => {
    expect(imageViolations({ ...FACTS, ...change })).toEqual([expect.stringContaining(sentence)]);
  });

  it('is built from one Dockerfile, the simulators as a target of their own', () => {
    const origin = { revision: 'abc', created: '2026-11-22T00:00:00.000Z', source: '', base: 'node' };
    const orders = buildArguments('orders', '1.2.3', origin, 'cairn/orders').join(' ');
    expect(orders).toContain(
      '--target app --build-arg APP=apps/orders --build-arg BASE=node --build-arg VERSION=1.2.3',
    );
    const simulators = buildArguments('simulators', '1.2.3', origin, 'cairn/simulators').join(' ');
    expect(simulators).toContain('--target simulators --build-arg APP=infra/simulators');
  });
});

describe('a container', () => {
  it('is as it has to be', () => expect(containerViolations(SEEN)).toEqual([]));

  it.each<[string, Partial<Seen>]>([
    ['it runs as root', { status: status({ Uid: '0\t0\t0\t0' }) }],
    ['it has capabilities: 400', { status: status({ CapBnd: '0000000000000400' }) }],
    ['it has capabilities: 1', { status: status({ CapEff: '0000000000000001' }) }],
    ['it may gain privileges', { status: status({ NoNewPrivs: '0' }) }],
    ['its first process is "sh -c node main.js", not node', { command: 'sh -c node main.js' }],
    ['its root can be written to', { writing: { code: 0, err: '' } }],
    ['its root can be written to', { writing: { code: 1, err: 'touch: not found' } }],
    ['its user may change /app/main.js', { writable: ['/app/main.js'] }],
    ['its HEALTHCHECK succeeds where nobody listens', { elsewhere: 0 }],
    ['SIGTERM ended it with 143, not 0', { exit: { code: 143, seconds: 0.1 } }],
    ['SIGTERM took 2.1 s', { exit: { code: 0, seconds: 2.1 } }],
  ])('is not when %s', (sentence, change) => {
    expect(containerViolations({ ...SEEN, ...change })).toEqual([expect.stringContaining(sentence)]);
  });

  it('that never became healthy says why, and nothing else', () => {
    const { healthyAfterS: _, ...never } = SEEN;
    expect(containerViolations({ ...never, status: '', log: 'no database' })).toEqual([
      'its HEALTHCHECK never succeeded:\nno database',
    ]);
  });

  it('has capabilities when its status does not say that it has none', () => {
    expect(privilegesOf('').capabilities).not.toBe(0n);
  });
});
