import { createHash } from 'node:crypto';

/**
 * The id of the event that follows from another one: the same each time it is made, so that readers' inboxes recognise
 * a double. A UUIDv8 out of a SHA-256 (RFC 9562, appendix B.2).
 */
export function followUpId(type: string, causeId: string): string {
  const bytes = createHash('sha256').update(`${type}\n${causeId}`).digest().subarray(0, 16);
  bytes[6] = (bytes[6]! & 0x0f) | 0x80;
  bytes[8] = (bytes[8]! & 0x3f) | 0x80;
  return bytes.toString('hex').replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5');
}
