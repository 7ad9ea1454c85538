import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Authority, type Issue } from './authority.ts';

/** Certificate, key and authorities of one process as files in a folder of their own. */
export class IdentityFiles {
  readonly #folder = mkdtempSync(join(tmpdir(), 'cairn-tls-'));
  readonly certPath = join(this.#folder, 'tls.crt');
  readonly keyPath = join(this.#folder, 'tls.key');
  readonly caPath = join(this.#folder, 'ca.crt');

  constructor(authority: Authority, issue: Issue) {
    this.renew(authority, issue);
  }

  /** Writes new ones of this authority, which is then the only one that is believed. */
  renew(authority: Authority, issue: Issue): void {
    this.write({ ...authority.issue(issue), ca: authority.cert });
  }

  write({ cert, key, ca }: { cert?: string; key?: string; ca?: string }): void {
    if (cert !== undefined) writeFileSync(this.certPath, cert);
    if (key !== undefined) writeFileSync(this.keyPath, key, { mode: 0o600 });
    if (ca !== undefined) writeFileSync(this.caPath, ca);
  }

  /** As the variables of a process name them. */
  get env(): Record<'TLS_CERT_PATH' | 'TLS_KEY_PATH' | 'TLS_CA_PATH', string> {
    return { TLS_CERT_PATH: this.certPath, TLS_KEY_PATH: this.keyPath, TLS_CA_PATH: this.caPath };
  }

  remove(): void {
    rmSync(this.#folder, { recursive: true });
  }
}
