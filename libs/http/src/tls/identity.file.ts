import { readFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import {
  certificateMistakes,
  remaining,
  validTo,
  type CertificateMistake,
  type Pems,
} from './certificates.ts';

export type IdentityPaths = { certPath: string; keyPath: string; caPath: string };

export type IdentityOptions = {
  /**
   * How often the files are looked at, in ms. Default 10,000. They are read and compared, not watched: Kubernetes swaps a
   * symbolic link two folders up, and network file systems tell of nothing.
   */
  pollMs?: number;
  /** Told when new files are in force, and until when. */
  onRenewed?: (renewed: { validTo: Date }) => void;
  /** Told once of new files that can't be taken; those before them stay in force. */
  onRefused?: (error: CertificateError) => void;
};

/** Certificates or a key that TLS can't work with; `mistakes` has each. */
export class CertificateError extends Error {
  override readonly name = 'CertificateError';
  readonly mistakes: CertificateMistake[];

  constructor(paths: IdentityPaths, mistakes: CertificateMistake[]) {
    const said = mistakes.map(({ of, problem, fix }) => `${pathOf(paths, of)} ${problem}: use ${fix}`);
    super(said.join('; '));
    this.mistakes = mistakes;
  }
}

/**
 * The certificate, the key and the authorities of a process, from files that are renewed while it runs: short-lived
 * certificates are the only ones that need no revocation.
 */
export class Identity {
  readonly #paths: IdentityPaths;
  readonly #options: IdentityOptions;
  readonly #listeners = new Set<(pems: Pems) => void>();
  #current: Pems;
  #rejected: Pems | undefined;
  #isTold = false;

  /** @throws CertificateError with all that is wrong; what reading a file throws is thrown on */
  constructor(paths: IdentityPaths, options: IdentityOptions = {}) {
    this.#paths = paths;
    this.#options = options;
    const [cert, key, ca] = listed(paths).map((path) => readFileSync(path, 'utf8')) as Texts;
    this.#current = { cert, key, ca };
    const mistakes = certificateMistakes(this.#current);
    if (mistakes.length) throw new CertificateError(paths, mistakes);
  }

  get current(): Pems {
    return this.#current;
  }

  get validTo(): Date {
    return validTo(this.#current);
  }

  /** The share of its lifetime that the certificate still has, from 1 to 0. */
  remaining(): number {
    return remaining(this.#current);
  }

  /** Calls back with each renewal. */
  onChange(listener: (pems: Pems) => void): void {
    this.#listeners.add(listener);
  }

  /** Looks for new files from now on, without keeping the process alive. @returns ends it */
  watch(): () => void {
    let isLooking = false;
    const timer = setInterval(() => {
      if (isLooking) return;
      isLooking = true;
      void this.#look().finally(() => (isLooking = false));
    }, this.#options.pollMs ?? 10_000).unref();
    return () => clearInterval(timer);
  }

  async #look(): Promise<void> {
    const read = await Promise.all(listed(this.#paths).map((path) => readFile(path, 'utf8'))).catch(
      () => undefined, // half-way through a replacement; whoever starts with it missing is told
    );
    if (!read) return;
    const [cert, key, ca] = read as Texts;
    const found = { cert, key, ca };
    if (same(found, this.#current)) return;
    const mistakes = certificateMistakes(found);
    if (mistakes.length) return this.#refuse(found, mistakes);
    this.#current = found;
    this.#rejected = undefined;
    this.#listeners.forEach((listener) => listener(found));
    this.#options.onRenewed?.({ validTo: this.validTo });
  }

  /** Seen for the first time, they may be half old and half new: the three are not replaced at once everywhere. */
  #refuse(found: Pems, mistakes: CertificateMistake[]): void {
    if (!this.#rejected || !same(found, this.#rejected)) {
      this.#rejected = found;
      this.#isTold = false;
    } else if (!this.#isTold) {
      this.#isTold = true;
      this.#options.onRefused?.(new CertificateError(this.#paths, mistakes));
    }
  }
}

type Texts = [cert: string, key: string, ca: string];

const listed = ({ certPath, keyPath, caPath }: IdentityPaths) => [certPath, keyPath, caPath];
const pathOf = (paths: IdentityPaths, of: keyof Pems) => paths[`${of}Path`];
const same = (a: Pems, b: Pems) => a.cert === b.cert && a.key === b.key && a.ca === b.ca;
