/** Where an app runs. Every method resolves when it is done, and rejects with what went wrong. */
export type Platform = {
  /** Brings the image into the environment's own registry, by digest. */
  take(digest: string): Promise<void>;
  /** Runs the image's own `migrate` to its end. */
  migrate(digest: string): Promise<void>;
  /** Replaces what runs, and resolves once the new one is ready. */
  deploy(digest: string): Promise<void>;
  /** Asks the app what its customers ask, from outside. */
  smoke(): Promise<void>;
};

export type Ledger = {
  /** Digests of the releases that count, oldest first; the last is in force. */
  standing(environment: string): Promise<string[]>;
  add(environment: string, kind: 'promoted' | 'back', digest: string): Promise<void>;
};

export type Delivery = {
  platform: Platform;
  ledger: Ledger;
  /** Rejects for an image that the pipeline has not signed. */
  verify: (digest: string) => Promise<void>;
  /** Told of each step; `detail` may say how far it is. */
  step: <T>(name: string, message: string, work: () => Promise<T>, detail?: () => string) => Promise<T>;
};

/** A release that was not kept: what runs now is what ran before. */
export class NotPromotedError extends Error {
  override name = 'NotPromotedError';
}

/**
 * Brings a digest into an environment: signature → migration → deployment → smoke test → ledger. When it fails after the
 * deployment began, the release in force is deployed again before this rejects. Migrations are not taken back: each is
 * compatible with the release before it (expand, then contract).
 *
 * @throws Error when the signature or the migration fails: nothing was deployed
 * @throws NotPromotedError when the release did not get up or failed its smoke test
 */
export async function promote(delivery: Delivery, environment: string, digest: string): Promise<void> {
  const { platform, ledger, verify, step } = delivery;
  await step('verify', `the signature of ${short(digest)}`, () => verify(digest));
  await step('take', `${short(digest)} into the registry of ${environment}`, () => platform.take(digest));
  await step('migrate', `${environment}, by ${short(digest)}`, () => platform.migrate(digest));
  try {
    await step('deploy', `${short(digest)} to ${environment}`, () => platform.deploy(digest));
    await step('smoke', environment, () => platform.smoke());
  } catch (cause) {
    const before = await restore(delivery, environment, digest);
    const now = before ? `${short(before)} runs again` : 'nothing had run there before';
    throw new NotPromotedError(`${short(digest)} was not promoted to ${environment}; ${now}`, { cause });
  }
  await ledger.add(environment, 'promoted', digest);
}

/**
 * Goes back to the release before the one in force, in one step: no build, no migration.
 *
 * @returns the digest that runs now
 * @throws Error when there is none to go back to
 */
export async function rollback(delivery: Delivery, environment: string): Promise<string> {
  const { platform, ledger, verify, step } = delivery;
  const before = (await ledger.standing(environment)).at(-2);
  if (!before) throw new Error(`${environment} has had one release at most: there is none to go back to`);
  await step('verify', `the signature of ${short(before)}`, () => verify(before));
  await step('rollback', `${environment} to ${short(before)}`, () => platform.deploy(before));
  await step('smoke', environment, () => platform.smoke());
  await ledger.add(environment, 'back', before);
  return before;
}

/**
 * Deploys what the ledger says is in force: after a promotion that failed, or whose runner died half-way.
 *
 * @param failed what was being deployed; nothing is done when that is in force
 * @returns the digest in force, if there is one
 */
export async function restore(
  delivery: Delivery,
  environment: string,
  failed?: string,
): Promise<string | undefined> {
  const { platform, ledger, verify, step } = delivery;
  const current = (await ledger.standing(environment)).at(-1);
  if (!current || current === failed) return current;
  await verify(current);
  await step('restore', `${short(current)} in ${environment}`, () => platform.deploy(current));
  return current;
}

/** Enough of a digest to tell it apart: `sha256:0a1b2c3d4e5f`. */
export const short = (digest: string) => digest.slice(0, 'sha256:'.length + 12);
