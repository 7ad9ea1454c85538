/** One configuration for every test: pure (`*.spec.ts`), on engines (`*.int.spec.ts`), end to end (`*.e2e.spec.ts`). */
export default {
  testEnvironment: 'node',
  extensionsToTreatAsEsm: ['.ts'],
  transform: {
    '^.+\\.ts$': [
      '@swc/jest',
      {
        jsc: {
          target: 'es2024',
          experimental: { keepImportAttributes: true },
          parser: { syntax: 'typescript', decorators: true },
          transform: { legacyDecorator: true, decoratorMetadata: true },
          keepClassNames: true,
        },
        module: { type: 'es6' },
      },
    ],
  },
  testEnvironmentOptions: { customExportConditions: ['@cairn/source', 'node', 'node-addons'] },
  testMatch: ['<rootDir>/{apps,libs,infra,tools,e2e}/**/*.spec.ts'],
  modulePathIgnorePatterns: ['/dist/', '/bundle/', '/.stack/'],
};
