import type { EvaluationContext, JsonValue, Provider, ResolutionDetails } from '@openfeature/server-sdk';
import type { Feature } from '../feature.ts';
import { answerOf, type Type } from './answer.ts';
import { Evaluations, type Evaluation } from './evaluations.ts';

/**
 * Answers OpenFeature's server SDK from what the environment said at the start: `FEATURE_HTML_MAIL=25%` is the flag
 * `html-mail`, on for a quarter of all targeting keys.
 *
 * It never throws: as OpenFeature wants it, whatever goes wrong answers the caller's own default, reason `ERROR`.
 * - `FLAG_NOT_FOUND`: there is no such feature
 * - `TYPE_MISMATCH`: a flag is asked for as what it is not, such as a switch as a text
 * - `TARGETING_KEY_MISSING`: a percentage that is neither 0 nor 100 was asked for without the key that it goes by
 *
 * Reasons: `STATIC` for what is set, `DEFAULT` for what is as the schema has it, `SPLIT` when a percentage decided.
 */
export class EnvironmentProvider implements Provider {
  readonly metadata = { name: 'environment' };
  readonly runsOn = 'server';
  readonly #features: Map<string, Feature>;
  readonly #evaluations: Evaluations;

  /** @param features by the names of their flags, from `featuresOf`; later changes to the record change nothing */
  constructor(features: Record<string, Feature>) {
    this.#features = new Map(Object.entries(features).map(([flag, feature]) => [flag, frozen(feature)]));
    this.#evaluations = new Evaluations(this.#features.keys());
  }

  async resolveBooleanEvaluation(flag: string, fallback: boolean, context: EvaluationContext) {
    return this.#resolve(flag, 'boolean', fallback, context);
  }

  async resolveStringEvaluation(flag: string, fallback: string, context: EvaluationContext) {
    return this.#resolve(flag, 'string', fallback, context);
  }

  async resolveNumberEvaluation(flag: string, fallback: number, context: EvaluationContext) {
    return this.#resolve(flag, 'number', fallback, context);
  }

  /** What it answers is frozen: all callers get the same object. */
  async resolveObjectEvaluation<T extends JsonValue>(flag: string, fallback: T, context: EvaluationContext) {
    return this.#resolve(flag, 'object', fallback, context);
  }

  /** What is in force, by the names of the flags. */
  get features(): ReadonlyMap<string, Feature> {
    return this.#features;
  }

  /** How a flag has been answered so far. */
  evaluationsOf(flag: string): Evaluation[] {
    return this.#evaluations.of(flag);
  }

  /** Flags that were asked for though there are none of that name; the first 100 of them. */
  unknownFlags(): string[] {
    return this.#evaluations.unknown();
  }

  #resolve<T>(
    flag: string,
    type: Type,
    fallback: T,
    { targetingKey }: EvaluationContext,
  ): ResolutionDetails<T> {
    const answer = answerOf(flag, this.features.get(flag), type, targetingKey);
    this.#evaluations.add(flag, answer);
    if ('value' in answer) return { ...answer, value: answer.value as T };
    const { reason, errorCode, errorMessage } = answer;
    return { value: fallback, reason, errorCode, errorMessage };
  }
}

/** The same all the way down, and nobody's to change. The original stays as it is. */
function frozen<T>(value: T): T {
  if (typeof value !== 'object' || value === null) return value;
  const copy = Array.isArray(value)
    ? value.map(frozen)
    : Object.fromEntries(Object.entries(value).map(([name, part]) => [name, frozen(part)]));
  return Object.freeze(copy) as T;
}
