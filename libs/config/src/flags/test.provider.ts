import { OpenFeature, type Client } from '@openfeature/server-sdk';
import { randomUUID } from 'node:crypto';
import { featureSetTo, type Feature, type FlagValue } from '../feature.ts';
import { EnvironmentProvider } from './environment.provider.ts';

/**
 * The features of an app, for its tests: they are as the schema has them until a test sets one.
 *
 * Every provider has a client of its own, so tests that run at the same time do not see each other's flags.
 */
export class TestProvider extends EnvironmentProvider {
  readonly client: Client;
  readonly #overrides = new Map<string, Feature>();

  /** @param features by the names of their flags, from `featuresOf` */
  constructor(features: Record<string, Feature>) {
    super(features);
    const domain = randomUUID();
    OpenFeature.setProvider(domain, this);
    this.client = OpenFeature.getClient(domain);
  }

  /**
   * Sets a flag to what its variable could be set to, until `restore` or until what it returns is called.
   *
   * @throws RangeError for a flag that there is not, and for a value that its variable could not have
   */
  set(flag: string, value: FlagValue): () => void {
    const feature = super.features.get(flag);
    if (!feature) {
      const known = [...super.features.keys()].join(', ');
      throw new RangeError(`there is no flag "${flag}"; there are ${known || 'none'}`);
    }
    const before = this.#overrides.get(flag);
    this.#overrides.set(flag, featureSetTo(feature, value));
    return () => void (before ? this.#overrides.set(flag, before) : this.#overrides.delete(flag));
  }

  /** All flags as they were at first. */
  restore(): void {
    this.#overrides.clear();
  }

  override get features(): ReadonlyMap<string, Feature> {
    return new Map([...super.features, ...this.#overrides]);
  }
}
