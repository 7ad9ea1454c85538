import { describe, expect, it } from '@jest/globals';
import type { BatchObservableCallback, Meter } from '@opentelemetry/api';
import { spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import {
  codedDefaults,
  complaints,
  home,
  optionTypes,
  page,
  rowsOf,
  snippetsOf,
  tableOf,
  withTables,
} from './docs.fixture.ts';
import * as library from './index.ts';
import { observe } from './otel/index.ts';
import { ORDER } from './plan.ts';

/** The pages say what is so. The tables of options are made from the types: `UPDATE_README=1 npm test -- docs.spec`. */
const types = optionTypes();

if (process.env['UPDATE_README']) {
  writeFileSync(join(home, 'README.md'), withTables(page('README.md'), types));
  spawnSync('prettier', ['--write', join(home, 'README.md')]);
}

const readme = page('README.md');

/** Which of the tables are not those of the types. */
const wrongTables = (text: string) =>
  [...types].filter(([type, options]) => {
    const rows = tableOf(text, type);
    return JSON.stringify(rows) !== JSON.stringify(rowsOf(options));
  });

describe('the options', () => {
  it.each([...types])('of %s are in the README, with their types, defaults and meanings', (type, options) => {
    expect(tableOf(readme, type)).toEqual(rowsOf(options));
  });

  it('are all looked at', () => {
    expect([...types.keys()].sort()).toEqual(
      [
        ...['AdaptiveOptions', 'BreakerOptions', 'BudgetOptions', 'BulkheadOptions', 'CallOptions'],
        ...['CircuitBreakerOptions', 'ExponentialOptions', 'HalfOpenOptions', 'HedgeOptions'],
        ...['ObserveOptions', 'PipelineOptions', 'RateLimitOptions', 'ResilienceModuleOptions'],
        ...['RetryOptions', 'SystemClockOptions'],
      ].sort(),
    );
  });

  it('would be missed, one too many be seen, and another default, too', () => {
    expect(wrongTables(readme)).toEqual([]);
    for (const [from, to] of [
      [/^\| `slowRate`.*\n/m, ''],
      [/^(\| )`slowRate`(.*\n)/m, '$1`slowRate`$2$1`slowness`$2'],
      [/^(\| `openFor`.*)30 s/m, '$120 s'],
      [/^(\| `queueTimeout` +\| )`Duration`/m, '$1`number`'],
    ] as const) {
      const changed = readme.replace(from, to);
      expect(changed).not.toBe(readme);
      expect(wrongTables(changed)).toHaveLength(1);
    }
  });

  it('have the defaults that their comments say', () => {
    const defaults = codedDefaults();
    expect(defaults.length).toBeGreaterThanOrEqual(20);
    expect(defaults.filter(({ documented, coded }) => documented !== coded)).toEqual([]);
  });
});

describe('the errors', () => {
  const classes = Object.entries(library).flatMap(([name, value]) => {
    const prototype = (value as { prototype?: Partial<library.ResilienceError> }).prototype;
    return prototype instanceof library.ResilienceError && prototype.code !== undefined
      ? [[name, prototype.code, prototype.transient ? 'yes' : 'no'] as const]
      : [];
  });

  it('are in the README, with their codes and whether they are transient', () => {
    const rows = [...readme.matchAll(/^\| `(\w+Error)` +\| `(\w+)` +\|.*\| (yes|no) +\|$/gm)];
    expect(rows.map(([, ...cells]) => cells).sort()).toEqual(classes.map((row) => [...row]).sort());
    expect(classes).toHaveLength(9);
  });
});

describe('the metrics', () => {
  it('are in the README, with their units and attributes', () => {
    const units = new Map<string, string>();
    const attributes = new Map<unknown, string[]>();
    const instrument = (name: string, { unit = '' } = {}) => {
      units.set(name, unit);
      return name;
    };
    const meter = {
      createObservableCounter: instrument,
      createObservableUpDownCounter: instrument,
      addBatchObservableCallback: (read: BatchObservableCallback) =>
        void read({
          observe: (metric, _value, labels = {}) => void attributes.set(metric, Object.keys(labels)),
        }),
    };
    observe([library.pipeline('billing').breaker()], { meter: meter as unknown as Meter });
    const rows = [...readme.matchAll(/^\| `(resilience\.[\w.]+)` +\| `(\{\w+\})` +\| (.*?) +\|$/gm)];
    const told = rows.map(([, name, unit, labels]) => [name, unit, labels!.replaceAll('`', '').split(', ')]);
    expect(told).toEqual([...units].map(([name, unit]) => [name, unit, attributes.get(name)]));
    expect(told.length).toBeGreaterThan(10);
  });
});

describe('the pages', () => {
  it('name the steps in their order, and every event', () => {
    expect([...readme.matchAll(/^\| `\.(\w+)` +\|/gm)].map(([, step]) => step)).toEqual([...ORDER]);
    const listed = /`billing\.on\(event, listener\)` tells (.*?);/s.exec(readme)![1]!;
    const events = [...listed.matchAll(/`(\w+)`/g)].map(([, event]) => event as library.ResilienceEvent);
    const billing = library.pipeline('billing');
    expect(() => events.forEach((event) => billing.on(event, () => {}))).not.toThrow();
    expect(() => billing.on('none' as never, () => {})).toThrow(events.join(', '));
  });

  it.each(['README.md', 'docs/coming-from.md'])(
    'have code that compiles: %s',
    (name) => {
      const snippets = snippetsOf(page(name));
      expect(snippets.length).toBeGreaterThanOrEqual(2);
      expect(complaints(snippets)).toEqual([]);
    },
    60_000,
  );

  it('would not pass with code that does not compile', () => {
    const [first] = snippetsOf(readme);
    expect(complaints([first!.replace('attempts: 3', 'max: 3')])).toEqual([
      expect.stringContaining("'max' does not exist in type 'RetryOptions'"),
    ]);
  }, 60_000);

  it('name in the right column of coming-from only what there is', () => {
    const source = [...types.values()].flat().map(({ name }) => name);
    const known = new Set([...source, ...Object.keys(library), ...MEMBERS]);
    const cells = page('docs/coming-from.md')
      .split('\n')
      .flatMap((row) => /^\|[^|]*\|([^|]*)\|/.exec(row)?.slice(1) ?? []);
    const names = cells.flatMap((cell) =>
      [...cell.matchAll(/`([^`]*)`/g)].flatMap(([, code]) => namesIn(code!)),
    );
    expect(names.length).toBeGreaterThan(60);
    expect([...new Set(names)].filter((name) => !known.has(name))).toEqual([]);
  });
});

/** Methods, events, codes and other words of the API that are neither exported nor options. */
const MEMBERS = [
  ...['fallback', 'deadline', 'retry', 'hedge', 'breaker', 'bulkhead', 'rateLimit', 'timeout', 'execute'],
  ...[
    'outcome',
    'wrap',
    'counts',
    'circuit',
    'isolate',
    'release',
    'snapshot',
    'restore',
    'abandoned',
    'ctx',
  ],
  ...[
    'state',
    'open',
    'stateChange',
    'retryDenied',
    'rejected',
    'settled',
    'status',
    'error',
    'Resilient',
    'otel',
  ],
  ...['circuit_open', 'bulkhead_full', 'billing', 'value', 'size', 'duration'],
];

/** The names in a piece of code: no strings, no numbers, no parameters of one letter. */
function namesIn(code: string): string[] {
  const events = /^on\((.*)\)$/.exec(code)?.[1];
  return (
    (events ?? code.replace(/'[^']*'/g, ''))
      .match(/[a-z_]{2,}\w*/gi)
      ?.filter((name) => !KEYWORDS.has(name)) ?? []
  );
}

const KEYWORDS = new Set(['true', 'false', 'on']);
