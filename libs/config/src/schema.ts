import type { z } from 'zod';

/** The one source of everything: an object of blocks, `.meta({ service: 'orders', system: 'shop' })` names the process and what it is part of. */
export type Schema = z.ZodObject<Record<string, z.ZodType>>;
export type Environment = Record<string, string | undefined>;

/** What a block says about its variable, kept in zod's metadata so that `.refine` and `.meta` of others keep it. */
export type Meta = {
  description?: string;
  /** What the value must look like, as a noun: "a whole number from 1 to 50". */
  expected?: string;
  unit?: string;
  default?: unknown;
  /** What stands in for it on a developer's machine; refused in staging and production. */
  development?: unknown;
  secret?: boolean;
  url?: boolean;
  /** Of a URL: it may hold a user and a password. */
  credentials?: boolean;
  /** The path of a file: what is none is not printed, for it may be what belongs into the file. */
  path?: boolean;
  /** Of a feature flag: lists and objects are JSON. */
  feature?: string;
};

export type Variable = {
  name: string;
  meaning: string;
  unit?: string;
  /** Without one the variable is required. */
  default?: unknown;
  /** The default as the environment would spell it. */
  spelled?: string;
  development?: unknown;
  expected: string;
  /** Whether its value belongs where secrets are: it is one, or a URL that may hold a password. */
  isSecret: boolean;
};

/** What there is to set, for documentation; a variable without a default is required. */
export function variablesOf(schema: Schema): Variable[] {
  return Object.keys(schema.shape).map((name) => {
    const meta = metaOf(schema, name);
    return {
      name,
      meaning: meta.description ?? '',
      ...(meta.unit && { unit: meta.unit }),
      ...(meta.default !== undefined && { default: meta.default, spelled: written(meta.default, meta) }),
      ...(meta.development !== undefined && { development: meta.development }),
      expected: meta.expected ?? 'a text',
      isSecret: Boolean(meta.secret || meta.credentials),
    };
  });
}

export function metaOf(schema: Schema, variable: string): Meta {
  return (schema.shape[variable]?.meta() ?? {}) as Meta;
}

/** The names of the process and of the system that it is part of, as far as the schema has them. */
export function nameOf(schema: Schema): { service?: string; system?: string } {
  return (schema.meta() ?? {}) as { service?: string; system?: string };
}

/** A value as the environment would spell it. */
export function written(value: unknown, { feature }: Meta = {}): string {
  if (Array.isArray(value) && feature === undefined) return value.join(',');
  return typeof value === 'object' ? JSON.stringify(value) : String(value);
}
