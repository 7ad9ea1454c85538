import { describe, expect, it } from '@jest/globals';
import { objectionsIn, unexplained, type Objection } from './lint.ts';

const comment = { path: 'app', summary: 'no limit', description: 'Set one' };
const check = (grade: number, skipped = false) => ({
  check: { id: 'resources' },
  grade,
  skipped,
  comments: [comment],
});
const scored = (...checks: ReturnType<typeof check>[]) => [
  { type_meta: { kind: 'Job' }, object_meta: { name: 'migrate' }, checks },
];
const says = '(app) no limit — Set one';
const objection: Objection = { rule: 'resources', object: 'Job/migrate', overlay: 'staging', says };

describe('what kube-score says', () => {
  it('is an objection if it is a warning or critical', () => {
    expect(objectionsIn('staging', scored(check(1)))).toEqual([objection]);
    expect(objectionsIn('staging', scored(check(5)))).toEqual([objection]);
  });

  it('is none if it is fine, nearly fine, or was not looked at', () => {
    expect(objectionsIn('staging', scored(check(10), check(7), check(1, true)))).toEqual([]);
  });
});

describe('exceptions', () => {
  const exception = { rule: 'resources', objects: /^Job\//, why: 'it is short' };

  it('explain objections of their rule, their objects and their overlays only', () => {
    expect(unexplained([objection], [exception])).toEqual([]);
    for (const other of [{ rule: 'probes' }, { objects: /^CronJob\// }, { overlays: /^production$/ }]) {
      expect(unexplained([objection], [{ ...exception, ...other }])).toContain(
        `Job/migrate: resources: ${says} (staging)`,
      );
    }
  });

  it('that explain nothing are told', () => {
    expect(unexplained([], [exception])).toEqual([
      'the exception to resources for /^Job\\// explains nothing: take it out',
    ]);
  });

  it('are not asked for twice, when overlays have the same objection', () => {
    const everywhere = ['staging', 'production'].map((overlay) => ({ ...objection, overlay }));
    expect(unexplained(everywhere, [])).toEqual([`Job/migrate: resources: ${says} (staging, production)`]);
  });
});
