import type { z } from 'zod';
import { block, Refusal, type Block } from './block.ts';

/** What JSON can say, without `null`: OpenFeature has no flag that is nothing. */
export type FlagValue = boolean | string | number | { [name: string]: unknown } | unknown[];

/** A share of all targeting keys: `25%`. */
export type Percentage = `${number}%`;

/** What the variable of a feature holds once it is parsed; the default says of which kind it is. */
export type FeatureValue<T> = T extends boolean | Percentage
  ? boolean | Percentage
  : T extends string
    ? string
    : T extends number
      ? number
      : T;

/** Of which kind a flag is: on or off, or one that has a value. */
export type FeatureKind = 'switch' | 'text' | 'number' | 'list' | 'object';

/** A feature as a provider of flags takes it. */
export type Feature = {
  meaning: string;
  kind: FeatureKind;
  /** A switch is a boolean, or a percentage when it is on for a part of those who use it. */
  value: FlagValue;
  /** The name of its variable, and whether that leaves it at what the schema says. */
  variable: string;
  isDefault: boolean;
};

type Options<T> = {
  /** What a list or an object has to look like; only its kind is checked without. */
  shape?: z.ZodType<T>;
};
type Meta = { description?: string; default?: FlagValue; feature?: FeatureKind };
type Parsed = { value: FlagValue } | Refusal;

const EXPECTED: Record<FeatureKind, string> = {
  switch: 'true, false or a percentage from 0% to 100%',
  text: 'a text, as it stands or in double quotes',
  number: 'a number, such as 12 or 0.5',
  list: 'a list in JSON, such as ["a","b"]',
  object: 'an object in JSON, such as {"a":1}',
};

const PREFIX = 'FEATURE_';
const NAME = /^FEATURE_[A-Z0-9]+(_[A-Z0-9]+)*$/;

/**
 * A feature flag, to stand under a name that begins with `FEATURE_`. The kind of its default is its kind: a switch
 * (`true`, `false`, or a percentage such as `25%`), a text, a number, a list or an object.
 *
 * The value is meant for `featuresOf` and a provider: of a percentage nobody but a provider can tell for whom it is on.
 *
 * @throws RangeError for a default that the variable itself could not be set to
 */
export function feature<T extends FlagValue>(
  meaning: string,
  fallback: T,
  { shape }: Options<FeatureValue<T>> = {},
): Block<FeatureValue<T>> {
  const kind = kindOf(fallback);
  const read = (text: string): Parsed => {
    const parsed = parse(kind, text);
    if (parsed instanceof Refusal || !shape || shape.safeParse(parsed.value).success) return parsed;
    return new Refusal(`write it like ${textOf(fallback)}`);
  };
  const standard = kind === 'text' ? { value: fallback } : read(textOf(fallback));
  if (standard instanceof Refusal) {
    throw new RangeError(`the default of a feature must be ${EXPECTED[kind]}, got ${textOf(fallback)}`);
  }
  const meta = { description: meaning, expected: EXPECTED[kind], default: standard.value, feature: kind };
  return block(meta, (text) => {
    const parsed = read(text);
    return parsed instanceof Refusal ? parsed : parsed.value;
  }) as Block<FeatureValue<T>>;
}

/**
 * The features among the variables of a schema, by the names of their flags: `FEATURE_HTML_MAIL` is `html-mail`.
 * `config` is what the schema has parsed.
 *
 * @throws RangeError when a feature's variable is not called `FEATURE_…`
 */
export function featuresOf(
  schema: z.ZodObject<Record<string, z.ZodType>>,
  config: Record<string, unknown>,
): Record<string, Feature> {
  const features: Record<string, Feature> = {};
  for (const [variable, block] of Object.entries(schema.shape)) {
    const { feature: kind, description: meaning = '', default: fallback } = (block.meta() ?? {}) as Meta;
    if (!kind) continue;
    if (!NAME.test(variable)) {
      throw new RangeError(`the variable of a feature must be called FEATURE_…, got ${variable}`);
    }
    const value = config[variable] as FlagValue;
    const isDefault = JSON.stringify(value) === JSON.stringify(fallback);
    features[flagOf(variable)] = { meaning, kind, value, variable, isDefault };
  }
  return features;
}

/** `FEATURE_HTML_MAIL` → `html-mail` */
function flagOf(variable: string): string {
  return variable.slice(PREFIX.length).toLowerCase().replaceAll('_', '-');
}

/**
 * The feature as if its variable were set to the value.
 *
 * @throws RangeError for a value that the variable could not have
 */
export function featureSetTo(feature: Feature, value: FlagValue): Feature {
  const { kind, variable } = feature;
  const parsed = kind === 'text' ? { value: textOf(value) } : parse(kind, textOf(value));
  if (parsed instanceof Refusal) {
    throw new RangeError(`${variable} must be ${EXPECTED[kind]}, got ${textOf(value)}`);
  }
  return { ...feature, value: parsed.value, isDefault: false };
}

/** The share that a percentage stands for, from 0 to 100 in steps of 0.0001, or undefined when it is none. */
export function percentOf(text: string): number | undefined {
  const percent = /^(?:0|[1-9]\d*)(?:\.\d{1,4})?%$/.test(text) ? Number(text.slice(0, -1)) : NaN;
  return percent <= 100 ? percent : undefined;
}

/** Of which kind a flag with this default is. */
export function kindOf(value: FlagValue): FeatureKind {
  if (typeof value === 'boolean') return 'switch';
  // Also what is a bad percentage, so that it is told as one.
  if (typeof value === 'string') return /^[\d.]+%$/.test(value) ? 'switch' : 'text';
  if (typeof value === 'number') return 'number';
  return Array.isArray(value) ? 'list' : 'object';
}

/** What the text stands for in a flag of this kind. */
function parse(kind: FeatureKind, text: string): Parsed {
  if (kind === 'switch') return parseSwitch(text);
  if (kind === 'text' && !text.startsWith('"')) return { value: text };
  const value = fromJson(text);
  if (value === undefined) return new Refusal(kind === 'number' ? undefined : 'write valid JSON');
  if (kind === 'text') return typeof value === 'string' ? { value } : new Refusal();
  if (value === null || typeof value === 'string' || kindOf(value) !== kind) return new Refusal();
  // JSON allows white space around it, and more digits than a number has room for.
  if (kind === 'number' && (!Number.isFinite(value) || text.trim() !== text)) return new Refusal();
  return { value };
}

function parseSwitch(text: string): Parsed {
  if (text === 'true' || text === 'false') return { value: text === 'true' };
  const percent = percentOf(text);
  if (percent !== undefined) return { value: `${percent}%` };
  const meant = meantBy(text.trim().toLowerCase());
  return new Refusal(meant && `write ${meant}`);
}

function meantBy(word: string): string | undefined {
  if (['true', 'yes', 'on', '1'].includes(word)) return 'true';
  if (['false', 'no', 'off', '0'].includes(word)) return 'false';
  const [, number, sign] = /^(\d+(?:\.\d+)?)\s*(%?)$/.exec(word) ?? [];
  const percent = Number(number) * (!sign && Number(number) < 1 ? 100 : 1);
  return percent <= 100 ? `${percent}%` : undefined;
}

function fromJson(text: string): FlagValue | null | undefined {
  try {
    return JSON.parse(text) as FlagValue | null;
  } catch {
    return undefined;
  }
}

/** As the variable would be set to it. */
function textOf(value: FlagValue): string {
  return typeof value === 'object' ? JSON.stringify(value) : String(value);
}
