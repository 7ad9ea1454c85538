import { describe, expect, it } from '@jest/globals';
import { variablesOf } from '@cairn/config';
import { readFileSync } from 'node:fs';
import { schema } from './config.ts';

describe('the configuration of scheduler', () => {
  it('is listed in the README, with defaults and meanings', () => {
    const page = readFileSync(new URL('../README.md', import.meta.url), 'utf8');
    const rows = [...page.matchAll(/^\| `([A-Z][A-Z0-9_]+)` *\|(.*?)\|(.*)\|$/gm)];
    const shown = (value: unknown) => (value === undefined ? 'required' : `\`${String(value)}\``);
    expect(rows.map(([, name, fallback, meaning]) => [name, fallback!.trim(), meaning!.trim()])).toEqual(
      variablesOf(schema).map((variable) => [variable.name, shown(variable.default), variable.meaning]),
    );
  });
});
