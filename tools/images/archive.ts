import { closeSync, openSync, readSync } from 'node:fs';
import { gunzipSync, zstdDecompressSync } from 'node:zlib';
import { tarEntries, type TarEntry } from './tar.ts';

/** What an image says of itself: the part of its configuration that we look at. */
export type ImageConfig = {
  created?: string;
  config: {
    Env?: string[];
    Labels?: Record<string, string>;
    Cmd?: string[];
    Entrypoint?: string[];
    User?: string;
  };
  rootfs: { diff_ids: string[] };
  history?: { created_by?: string; empty_layer?: boolean }[];
};

/** An image as `docker save` or `crane pull` writes it. Layers are read when they are asked for: the first may be 200 MB. */
export type ImageArchive = {
  config: ImageConfig;
  layers: { diffId: string; files: () => Generator<LayerFile> }[];
  close: () => void;
};

/** A regular file of a layer, or a link with the content ''. */
export type LayerFile = { path: string; content: Buffer };

/** @throws Error when `file` can't be read, or has no `manifest.json` of exactly one image */
export function openArchive(file: string): ImageArchive {
  const fd = openSync(file, 'r');
  try {
    const read = (position: number, length: number) => {
      const buffer = Buffer.alloc(length);
      return buffer.subarray(0, readSync(fd, buffer, 0, length, position));
    };
    const entries = new Map([...tarEntries(read)].map((entry) => [entry.path, entry]));
    const content = (path: string) => {
      const entry = entries.get(path);
      if (!entry) throw new Error(`${file} lacks ${path}: is it what "docker save" of an image wrote?`);
      return read(entry.offset, entry.size);
    };
    const [manifest, ...others] = JSON.parse(content('manifest.json').toString()) as Manifest[];
    if (!manifest || others.length)
      throw new Error(`${file} must hold one image, it has ${others.length + 1}`);
    const config = JSON.parse(content(manifest.Config).toString()) as ImageConfig;
    const layers = manifest.Layers.map((path, i) => ({
      diffId: config.rootfs.diff_ids[i]!,
      files: () => filesOf(unpacked(content(path))),
    }));
    return { config, layers, close: () => closeSync(fd) };
  } catch (error) {
    closeSync(fd);
    throw error;
  }
}

type Manifest = { Config: string; Layers: string[] };

function* filesOf(layer: Buffer): Generator<LayerFile> {
  const read = (position: number, length: number) => layer.subarray(position, position + length);
  for (const { path, type, offset, size } of tarEntries(read) as Iterable<TarEntry>)
    yield { path, content: type === 'file' ? read(offset, size) : Buffer.alloc(0) };
}

function unpacked(layer: Buffer): Buffer {
  if (layer.readUInt16BE(0) === 0x1f8b) return gunzipSync(layer);
  return layer.readUInt32BE(0) === 0x28b52ffd ? zstdDecompressSync(layer) : layer;
}
