import { describe, expect, it, jest } from '@jest/globals';
import { readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { FAULTS, leaves } from './copy-out/leaves.ts';
import { edit } from './copy-out/package.ts';

/**
 * `libs/resilience` leaves the house: packed, installed into empty projects outside of the repository, and used there.
 * Real: the build, npm, Node's resolution, the compiler, publint and attw. No registry and no engine is needed.
 */
jest.setTimeout(120_000);

const promises = readFileSync(join(import.meta.dirname, 'copy-out/resilience/promises.fixture.ts'), 'utf8');

describe('resilience', () =>
  leaves(
    {
      name: 'resilience',
      cjs: true,
      alone: ['', 'testing'],
      missing: {
        "import '@cairn/resilience/otel';": /Cannot find (package|module) '@opentelemetry\/api/,
        "import '@cairn/resilience/nest';": /Cannot find (package|module) '@nestjs\//,
      },
      nodeTypes: false,
      peers: [
        ...['@nestjs/common', '@nestjs/core', '@opentelemetry/api'],
        ...['@opentelemetry/sdk-metrics', 'reflect-metadata'],
      ],
      slip: {
        of: '3, idempotent',
        instead: "'3', idempotent",
        complaint: "Type 'string' is not assignable to type 'number'",
      },
      files: ['src/pipeline.ts', 'dist/pipeline.js', 'cjs/package.json', 'cjs/dist/pipeline.js'],
      planted: [
        ...FAULTS,
        {
          what: 'an entry whose file is not there',
          plant: (folder) =>
            edit(join(folder, 'package.json'), (text) =>
              text.replace('./dist/otel/index.js', './dist/otel/main.js'),
            ),
          by: 'publint',
          complaint: /exports\["\.\/otel"\].*main\.js but the file does not exist/,
        },
        {
          what: 'CommonJS that says it were ESM',
          plant: (folder) => rmSync(join(folder, 'cjs/package.json')),
          by: 'attw',
          complaint: /Masquerading as ESM|false-esm|ESM \(dynamic import only\)/i,
        },
      ],
    },
    (project) => {
      it.each([
        ['of TypeScript', true],
        ['of ECMAScript', false],
      ])('keeps its promises, with decorators %s', (_, experimentalDecorators) => {
        const { status, output } = project().test(promises, { experimentalDecorators });
        expect([status, output]).toEqual([0, expect.stringMatching(/^# pass 9$/m)]);
      });

      it('sees a promise that is broken', () => {
        const broken = promises.replace("openFor: '30s'", "openFor: '31s'");
        const { status, output } = project().test(broken);
        expect([status, output]).toEqual([1, expect.stringMatching(/^# pass 8\n# fail 1$/m)]);
      });

      it('tells errors of two copies, one by import and one by require, apart by code and isRejection', () => {
        project().write(
          'both.mjs',
          `import { createRequire } from 'node:module';
           import { isRejection, CircuitOpenError } from '@cairn/resilience';
           const theirs = createRequire(import.meta.url)('@cairn/resilience');
           const error = new theirs.CircuitOpenError('billing', 1);
           console.log(error instanceof CircuitOpenError, isRejection(error), error.code);`,
        );
        expect(project().run('node', 'both.mjs').output).toBe('false true circuit_open\n');
      });
    },
  ));
