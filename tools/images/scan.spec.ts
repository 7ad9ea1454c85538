import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { gzipSync, zstdCompressSync } from 'node:zlib';
import { findsInConfig, scanArchive, type Find } from './scan.ts';
import { tarEntries } from './tar.ts';

/** The archives are written by the system's own tar; the image is one by its files. */
let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'cairn-scan-spec-'));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function tar(name: string, files: Record<string, string | Buffer>, format = 'gnu'): Buffer {
  const source = join(folder, name);
  for (const [path, content] of Object.entries(files)) {
    mkdirSync(dirname(join(source, path)), { recursive: true });
    writeFileSync(join(source, path), content);
  }
  execFileSync('tar', [`--format=${format}`, '-cf', `${source}.tar`, '-C', source, '.']);
  return readFileSync(`${source}.tar`);
}

const LAYERS: Record<string, string>[] = [
  { 'etc/hosts.md': 'example: redis://redis', 'etc/leak': `AKIA${'ABCDEFGH'.repeat(2)}` },
  { 'app/.env': 'A=1' },
  { 'app/.wh..env': '' }, // removed again, and still in the layer before
];

function image(pack: (layer: Buffer) => Buffer): string {
  const name = `image-${pack.name}`;
  const layers = LAYERS.map((files, i) => [`l${i}.tar`, pack(tar(`${name}-l${i}`, files))] as const);
  const config = { config: { Env: ['PATH=/bin', 'PORT=1'] }, rootfs: { diff_ids: ['d0', 'd1', 'd2'] } };
  tar(name, {
    ...Object.fromEntries(layers),
    'config.json': JSON.stringify(config),
    'manifest.json': JSON.stringify([{ Config: 'config.json', Layers: layers.map(([path]) => path) }]),
  });
  return join(folder, `${name}.tar`);
}
const told = (finds: Find[]) => finds.map(({ rule, where }) => `${rule} in ${where}`);

describe('tarEntries', () => {
  const long = `${'folder/'.repeat(30)}file.txt`;
  it.each(['gnu', 'pax'])('reads names of any length (%s)', (format) => {
    const archive = tar(`long-${format}`, { [long]: 'content', short: '' }, format);
    const read = (position: number, length: number) => archive.subarray(position, position + length);
    const files = [...tarEntries(read)].filter(({ type }) => type === 'file');
    expect(files.map(({ path, size }) => [path, size])).toEqual(
      expect.arrayContaining([
        [long, 7],
        ['short', 0],
      ]),
    );
    const { offset, size } = files.find(({ path }) => path === long)!;
    expect(read(offset, size).toString()).toBe('content');
  });

  it('refuses what is no archive', () => {
    expect(() => [...tarEntries(() => Buffer.alloc(512, 7))]).toThrow('no tar header at byte 0');
  });
});

describe('scanArchive', () => {
  it.each([(layer: Buffer) => layer, gzipSync, zstdCompressSync])(
    'finds what is in a layer, also when a later one removes it (%p)',
    (pack) => {
      const { layers, finds } = scanArchive(image(pack as (layer: Buffer) => Buffer), { base: ['d0'] });
      expect(layers).toBe(3);
      expect(told(finds)).toEqual([
        'secret in layer 1: etc/leak',
        'env file in layer 2: app/.env',
        'env file in layer 3: app/.wh..env',
      ]);
    },
  );

  it('judges all layers as ours when no base is named', () => {
    const { finds } = scanArchive(image((layer) => layer));
    expect(told(finds)).toContain('host in layer 1: etc/hosts.md');
  });

  it('reads a layer of the base once for several images', () => {
    const seen = new Map<string, Find[]>();
    const file = image((layer) => layer);
    const [first, second] = [1, 2].map(() => scanArchive(file, { base: ['d0'], seen }));
    expect(second!.finds).toEqual(first!.finds);
    expect(second!.files).toBeLessThan(first!.files);
  });

  it('finds variables that the image sets, and what build arguments have left in its history', () => {
    const config = {
      config: { Env: ['PATH=/bin', 'PORT=1'], Labels: { a: 'http://payments:3002' } },
      rootfs: { diff_ids: [] },
      history: [{ created_by: `ARG TOKEN=ghp_${'a1B2'.repeat(9)}` }],
    };
    expect(findsInConfig(config, { variables: new Set(['PORT']) }).map(({ rule }) => rule)).toEqual([
      'secret',
      'host',
      'env file',
    ]);
  });

  it('says what is wrong with a file that is no image', () => {
    tar('none', { 'a.txt': '' });
    expect(() => scanArchive(join(folder, 'none.tar'))).toThrow('lacks manifest.json');
  });
});
