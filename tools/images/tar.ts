/** A file, folder or link in a tar archive; `size` bytes of it begin at `offset`. */
export type TarEntry = { path: string; type: 'file' | 'other'; offset: number; size: number };

const BLOCK = 512;
const FILE_TYPES = new Set(['0', '\0', '7']);

/**
 * The entries of an archive in the formats that container tools write: ustar, GNU's long names, and pax.
 *
 * @param read gives `length` bytes from `position`, fewer at the end
 * @throws Error for what is no tar archive
 */
export function* tarEntries(read: (position: number, length: number) => Buffer): Generator<TarEntry> {
  let position = 0;
  let longName: string | undefined;
  for (;;) {
    const header = read(position, BLOCK);
    if (header.length < BLOCK || header.every((byte) => byte === 0)) return;
    if (!isHeader(header)) throw new Error(`no tar header at byte ${position}`);
    const size = sizeOf(header);
    const offset = position + BLOCK;
    const type = String.fromCharCode(header[156]!);
    position = offset + Math.ceil(size / BLOCK) * BLOCK;
    if (type === 'L') longName = textOf(read(offset, size));
    else if (type === 'x') longName = paxPath(read(offset, size).toString()) ?? longName;
    else if (type !== 'g') {
      const path = (longName ?? nameOf(header)).replace(/^\.?\//, '');
      yield { path, type: FILE_TYPES.has(type) ? 'file' : 'other', offset, size };
      longName = undefined;
    }
  }
}

/** The sum of a header's bytes, that of the sum itself counted as blanks. */
function isHeader(header: Buffer): boolean {
  let sum = 0;
  for (let i = 0; i < BLOCK; i++) sum += i >= 148 && i < 156 ? 32 : header[i]!;
  return sum === parseInt(textOf(header.subarray(148, 156)), 8);
}

/** Octal, or from 8 GiB on binary with the first bit set. */
function sizeOf(header: Buffer): number {
  const field = header.subarray(124, 136);
  if ((field[0]! & 0x80) === 0) return parseInt(textOf(field).trim() || '0', 8);
  return Number(field.readBigUInt64BE(4));
}

function nameOf(header: Buffer): string {
  const isUstar = header.subarray(257, 262).toString() === 'ustar';
  const prefix = isUstar && header[263] !== 32 ? textOf(header.subarray(345, 500)) : '';
  const name = textOf(header.subarray(0, 100));
  return prefix ? `${prefix}/${name}` : name;
}

function paxPath(records: string): string | undefined {
  return /^\d+ path=(.*)$/m.exec(records)?.[1];
}

function textOf(field: Buffer): string {
  const end = field.indexOf(0);
  return field.subarray(0, end === -1 ? field.length : end).toString();
}
