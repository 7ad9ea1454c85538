import js from '@eslint/js';
import nx from '@nx/eslint-plugin';
import imports from 'eslint-plugin-import-x';
import globals from 'globals';
import ts from 'typescript-eslint';

/** Frameworks and drivers: what a file with a plain noun for a name (`order.ts`) may not know. */
const OUTSIDE = [
  '@nestjs/*',
  '@aws-sdk/*',
  'fastify',
  'ioredis',
  'kafkajs',
  'nodemailer',
  'pdfkit',
  'pg',
  'typeorm',
  'node:fs',
  'node:fs/*',
  'node:http',
  'node:net',
];

export default ts.config(
  { ignores: ['**/dist/**', '**/bundle/**', '**/node_modules/**', '.stack/**', '.nx/**'] },
  js.configs.recommended,
  ts.configs.recommended,
  {
    languageOptions: {
      globals: globals.node,
    },
    plugins: { '@nx': nx, import: imports },
    settings: {
      'import-x/extensions': ['.ts'],
      'import-x/parsers': { '@typescript-eslint/parser': ['.ts'] },
    },
    rules: {
      'max-lines': ['error', { max: 300, skipBlankLines: true, skipComments: true }],
      'no-console': 'off',
      'import/no-cycle': 'error',
      '@typescript-eslint/no-unused-vars': ['error', { argsIgnorePattern: '^_', varsIgnorePattern: '^_' }],
      // app → lib only, lib → no other lib of ours: that is what keeps a lib copyable. libs/boot is the one that puts them
      // together, and is not one to copy (docs/adr/0007).
      '@nx/enforce-module-boundaries': [
        'error',
        {
          allow: [],
          depConstraints: [
            { sourceTag: 'type:app', onlyDependOnLibsWithTags: ['type:lib', 'type:glue'] },
            { sourceTag: 'type:glue', onlyDependOnLibsWithTags: ['type:lib'] },
            { sourceTag: 'type:lib', onlyDependOnLibsWithTags: ['none'] },
            { sourceTag: 'type:infra', onlyDependOnLibsWithTags: ['none'] },
            { sourceTag: 'type:tool', onlyDependOnLibsWithTags: ['type:lib'] },
            // The simulation runs the apps' own code in process.
            { sourceTag: 'type:e2e', onlyDependOnLibsWithTags: ['type:lib', 'type:tool', 'type:app'] },
          ],
        },
      ],
    },
  },
  {
    files: ['**/*.ts'],
    languageOptions: {
      parserOptions: { project: './tsconfig.check.json', tsconfigRootDir: import.meta.dirname },
    },
    rules: {
      '@typescript-eslint/no-floating-promises': 'error',
      '@typescript-eslint/only-throw-error': 'error',
    },
  },
  {
    // A noun alone is a promise: only plain values in here. Whatever wires or starts things is named by its role.
    files: ['apps/*/src/+([a-z-]).ts', 'libs/*/src/+([a-z-]).ts', 'infra/simulators/src/+([a-z-]).ts'],
    ignores: ['**/main.ts', '**/start.ts', '**/admin.ts', 'libs/http/src/*'],
    rules: {
      'no-restricted-imports': [
        'error',
        {
          patterns: [
            {
              group: OUTSIDE,
              message: 'A file with a plain noun for a name is pure: no framework, no driver.',
            },
          ],
        },
      ],
    },
  },
  {
    files: ['apps/**'],
    rules: {
      'no-restricted-syntax': [
        'error',
        {
          selector: "ImportDeclaration[source.value='kafkajs']",
          message: 'Kafka is behind @cairn/messaging.',
        },
      ],
    },
  },
);
