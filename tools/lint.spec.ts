import { beforeAll, describe, expect, it } from '@jest/globals';
import { execFileSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';

/** The negative control of the boundaries: what must not be imported is not, because lint refuses it. */
const root = fileURLToPath(new URL('..', import.meta.url));

type Sample = { file: string; code: string };

/** For each sample the rules that its code breaks where it stands. ESLint runs outside of jest's module loader. */
function brokenRules(samples: Sample[]): string[][] {
  const script = `
    import { ESLint } from 'eslint';
    const eslint = new ESLint();
    const broken = [];
    for (const { file, code } of JSON.parse(process.argv[1])) {
      const [result] = await eslint.lintText(code, { filePath: file });
      broken.push(result.messages.map(({ ruleId, message }) => ruleId ?? message));
    }
    console.log(JSON.stringify(broken));`;
  const args = ['--input-type=module', '-e', script, JSON.stringify(samples)];
  // In a "single run", which CI=true stands for, typescript-eslint would read the file and not the sample.
  const env = { ...process.env, TSESTREE_SINGLE_RUN: 'false' };
  return JSON.parse(execFileSync(process.execPath, args, { cwd: root, encoding: 'utf8', env })) as string[][];
}

const use = (what: string) => `import * as it from '${what}';\nconsole.log(it);\n`;
const BOUNDARY = '@nx/enforce-module-boundaries';

const REFUSED = [
  ['a lib that imports another lib of ours', 'libs/config/src/index.ts', '@cairn/logging', BOUNDARY],
  ['a lib that imports what puts libs together', 'libs/config/src/index.ts', '@cairn/boot', BOUNDARY],
  [
    'what puts libs together importing an app',
    'libs/boot/src/index.ts',
    '../../../apps/orders/src/order.ts',
    BOUNDARY,
  ],
  [
    'an app that imports another app',
    'apps/orders/src/orders.service.ts',
    '../../payments/src/payment.ts',
    BOUNDARY,
  ],
  ['a lib that imports an app', 'libs/config/src/index.ts', '../../../apps/orders/src/order.ts', BOUNDARY],
  [
    'a pure file that knows a framework',
    'apps/orders/src/order.ts',
    '@nestjs/common',
    'no-restricted-imports',
  ],
  ['a pure file that knows a driver', 'apps/orders/src/order.ts', 'pg', 'no-restricted-imports'],
  [
    'a pure file that knows the broker',
    'apps/orders/src/order.ts',
    '@cairn/messaging/kafkajs',
    'no-restricted-imports',
  ],
  [
    'an app that talks to kafkajs itself',
    'apps/orders/src/orders.consumer.ts',
    'kafkajs',
    'no-restricted-syntax',
  ],
  ['two files that import each other', 'libs/config/src/variables.ts', './index.ts', 'import/no-cycle'],
] as const;
const ALLOWED = { file: 'apps/orders/src/orders.service.ts', code: use('@cairn/logging') };

describe('lint', () => {
  let broken: string[][];

  beforeAll(() => {
    execFileSync('node_modules/.bin/nx', ['show', 'projects'], { cwd: root });
    broken = brokenRules([...REFUSED.map(([, file, what]) => ({ file, code: use(what) })), ALLOWED]);
  }, 120_000);

  it.each(REFUSED.map(([name, , , rule], i) => ({ name, rule, i })))('refuses $name', ({ rule, i }) => {
    expect(broken[i]).toContain(rule);
  });

  it('accepts an app that imports a lib', () => {
    expect(broken.at(-1)).toEqual([]);
  });
});
