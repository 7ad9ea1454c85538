import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { run, runOrFail } from '../infra/programs/run.ts';

/**
 * Who signs: a pair of keys in files, or a workflow of GitHub's that proves who it is by a token of its own (Sigstore's keyless
 * signing), so that there is no key to keep or to lose.
 */
export type Identity = { folder: string } | { workflow: string };

const GITHUB = 'https://token.actions.githubusercontent.com';

export class Cosign {
  readonly #cosign: string;
  readonly #identity: Identity;

  /** `cosign` is the path of the program. */
  constructor(cosign: string, identity: Identity) {
    this.#cosign = cosign;
    this.#identity = identity;
  }

  /** Makes the pair of keys: `cosign.key` and `cosign.pub` in the identity's folder. A keyless one needs none. */
  async makeKeys(): Promise<void> {
    if (!('folder' in this.#identity)) return;
    const { folder } = this.#identity;
    await mkdir(folder, { recursive: true });
    await runOrFail(this.#cosign, ['generate-key-pair'], { cwd: folder, env: this.#env });
    // No transparency log and no authority: a machine that is on its own signs and verifies by the keys alone.
    const alone = { mediaType: 'application/vnd.dev.sigstore.signingconfig.v0.2+json' };
    await writeFile(join(folder, 'alone.json'), JSON.stringify(alone));
  }

  /** Signs an image, and the statement that `sbom` (a file, CycloneDX) is what is in it. Both are kept beside it. */
  async sign(image: string, sbom: string): Promise<void> {
    const key = 'folder' in this.#identity ? this.#files(this.#identity.folder) : [];
    const options = { env: this.#env };
    await runOrFail(this.#cosign, ['sign', '--yes', ...key, image], options);
    const attest = ['attest', '--yes', '--type', 'cyclonedx', '--predicate', sbom];
    await runOrFail(this.#cosign, [...attest, ...key, image], options);
  }

  /** @throws Error unless `image` has a signature and a bill of materials by this identity */
  async verify(image: string): Promise<void> {
    const trusted =
      'folder' in this.#identity
        ? ['--key', join(this.#identity.folder, 'cosign.pub'), '--insecure-ignore-tlog=true']
        : ['--certificate-identity', this.#identity.workflow, '--certificate-oidc-issuer', GITHUB];
    const statement = ['verify-attestation', '--type', 'cyclonedx'];
    for (const command of [['verify'], statement]) {
      const { code, stderr } = await run(this.#cosign, [...command, ...trusted, image], { env: this.#env });
      if (code === 0) continue;
      const why = /^Error: (.*)$/m.exec(stderr)?.[1] ?? stderr.trim();
      throw new Error(`${image} is not deployed, "cosign ${command[0]}" refuses it: ${why}`);
    }
  }

  #files(folder: string): string[] {
    return ['--key', join(folder, 'cosign.key'), '--signing-config', join(folder, 'alone.json')];
  }

  /** The keys of a dry run are thrown away after it: their password is none. */
  get #env(): NodeJS.ProcessEnv {
    return { ...process.env, COSIGN_PASSWORD: '' };
  }
}
