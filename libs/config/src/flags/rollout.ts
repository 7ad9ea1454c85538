import { hash } from 'node:crypto';

/**
 * Whether a key is among the first `percent` of all keys of a flag.
 *
 * The place of a key, in [0, 100): the first four bytes of SHA-256 over `flag`, a colon and `key` in UTF-8, as a
 * big-endian number, divided by 2^32, times 100. It is in while its place is below the percentage. So a key
 * - gets the same answer in every process and after every restart,
 * - stays in while the percentage rises: its place does not move,
 * - has another place under every flag: it is not always the same people that try what is new.
 */
export function isIn(percent: number, flag: string, key: string): boolean {
  return placeOf(flag, key) < percent;
}

/** The place of a key under a flag, from 0 to just below 100. No name of a flag has a colon in it. */
export function placeOf(flag: string, key: string): number {
  return (hash('sha256', `${flag}:${key}`, 'buffer').readUInt32BE(0) / 2 ** 32) * 100;
}
