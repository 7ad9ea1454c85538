import { describe, expect, it } from '@jest/globals';
import { packageFolders, sbomOf } from './sbom.ts';

describe('the bill of materials', () => {
  it('has the packages that esbuild took files from, and the libraries of ours', () => {
    const inputs = [
      'apps/orders/dist/src/main.js',
      'libs/config/dist/index.js',
      'libs/config/dist/parse.js',
      'node_modules/zod/v4/index.js',
      'node_modules/@nestjs/core/index.js',
      'node_modules/typeorm/node_modules/uuid/dist/index.js',
    ];
    expect(packageFolders(inputs)).toEqual([
      'libs/config',
      'node_modules/@nestjs/core',
      'node_modules/typeorm/node_modules/uuid',
      'node_modules/zod',
    ]);
  });

  it('names each of them once, in order, by its purl', () => {
    const zod = { name: 'zod', version: '4.6.7', license: 'MIT' };
    const core = { name: '@nestjs/core', version: '12.5.1', license: 'MIT' };
    const { components, metadata } = sbomOf({ name: '@cairn/orders', version: '1.0.0' }, [zod, core, zod]);
    expect(components.map(({ purl }) => purl)).toEqual([
      'pkg:npm/%40nestjs/core@12.5.1',
      'pkg:npm/zod@4.6.7',
    ]);
    expect(components[1]?.licenses).toEqual([{ expression: 'MIT' }]);
    expect(metadata.component.purl).toBe('pkg:npm/%40cairn/orders@1.0.0');
  });

  it('keeps two versions of a package apart', () => {
    const versions = ['1.0.0', '2.0.0'].map((version) => ({ name: 'uuid', version }));
    expect(sbomOf({ name: 'app', version: '1.0.0' }, versions).components).toHaveLength(2);
  });

  it('is the same text whatever the order in which files were read', () => {
    const [a, b] = [
      { name: 'a', version: '1.0.0' },
      { name: 'b', version: '1.0.0' },
    ];
    expect(JSON.stringify(sbomOf(a, [a, b]))).toBe(JSON.stringify(sbomOf(a, [b, a])));
  });
});
