import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { z } from 'zod';
import type { KeyStore } from './keys.ts';

const jwk = z.looseObject({ kty: z.literal('EC'), crv: z.literal('P-256'), kid: z.string() });
const keyFileSchema = z.object({ keys: z.tuple([jwk.extend({ d: z.string() })], jwk) });

/**
 * A JWK Set on disk, readable by its owner only: the signing key first, then the public halves of retired
 * ones. Without a path the keys live as long as the process.
 */
export function keyFile(path: string | undefined): KeyStore {
  if (path === undefined) return { load: () => [], save: () => {} };
  return {
    load() {
      if (!existsSync(path)) return [];
      try {
        return keyFileSchema.parse(JSON.parse(readFileSync(path, 'utf8'))).keys;
      } catch {
        // The cause could quote the private key.
        throw new Error(
          `${path} does not hold a JWK Set with an EC P-256 signing key first; remove it to get a new one`,
        );
      }
    },
    save(keys) {
      mkdirSync(dirname(path), { recursive: true });
      // Written aside and renamed: a crash leaves the old file or the new one, never half a key.
      const aside = `${path}.${process.pid}`;
      writeFileSync(aside, `${JSON.stringify({ keys }, null, 2)}\n`, { mode: 0o600 });
      renameSync(aside, path);
    },
  };
}
