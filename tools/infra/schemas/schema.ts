/** A schema of OpenAPI 3.0 going in, of JSON Schema draft 4 coming out: the draft that OpenAPI 3.0 builds on. */
export type Schema = {
  type?: string | (string | null)[];
  enum?: unknown[];
  nullable?: boolean;
  properties?: Record<string, Schema>;
  additionalProperties?: Schema | boolean;
  items?: Schema;
  oneOf?: Schema[];
  anyOf?: Schema[];
  allOf?: Schema[];
  not?: Schema;
  $ref?: string;
  definitions?: Record<string, Schema>;
  [keyword: string]: unknown;
};

/** A kind that a cluster serves. The core group is ''. */
export type Kind = { group: string; version: string; kind: string; schema: Schema };

/** What a validator acts on and needs no translation. Descriptions and defaults are nine tenths of a schema's size. */
const PLAIN = [
  ...['type', 'format', 'enum', 'pattern', 'minLength', 'maxLength', 'required'],
  ...['minimum', 'maximum', 'exclusiveMinimum', 'exclusiveMaximum', 'multipleOf'],
  ...['minItems', 'maxItems', 'uniqueItems', 'minProperties', 'maxProperties'],
];

/** Whether an object takes only the fields that its schema lists. */
export type Closes = (schema: Schema) => boolean;

/**
 * A schema that refuses unknown fields, as the API server does with `fieldValidation=Strict`.
 *
 * It also refuses `null` where the schema doesn't name it. The API server drops such a field, and its default takes over: what
 * was written is not what runs.
 */
export function strict(schema: Schema, closes: Closes): Schema {
  const inner = (one: Schema) => strict(one, closes);
  // The branches of a choice say what must hold of a value, they don't list all that it may have.
  const judge = (one: Schema) => strict(one, () => false);
  const each = (map: Record<string, Schema>) =>
    Object.fromEntries(Object.entries(map).map(([name, one]) => [name, inner(one)]));
  const { properties, additionalProperties: others, items, oneOf, anyOf, allOf, not, $ref } = schema;
  // How OpenAPI gives a reference a default: all of one. As the reference itself its errors are one line, not nested in others.
  if (allOf?.length === 1 && allOf[0]?.$ref) return judge(allOf[0]);
  const open = others ?? (closes(schema) ? false : undefined);
  return {
    ...Object.fromEntries(PLAIN.filter((keyword) => keyword in schema).map((one) => [one, schema[one]])),
    ...(schema.nullable && orNull(schema)),
    ...(properties && { properties: each(properties) }),
    ...(open !== undefined && { additionalProperties: typeof open === 'object' ? inner(open) : open }),
    ...(items && { items: inner(items) }),
    ...(oneOf && { oneOf: oneOf.map(judge) }),
    ...(anyOf && { anyOf: anyOf.map(judge) }),
    ...(allOf && { allOf: allOf.map(judge) }),
    ...(not && { not: judge(not) }),
    ...($ref && { $ref: $ref.replace('#/components/schemas/', '#/definitions/') }),
  };
}

/** JSON Schema has no `nullable`: null is one more type, and one more value of an enumeration. */
const orNull = ({ type, enum: values }: Schema): Schema => ({
  ...(typeof type === 'string' && { type: [type, 'null'] }),
  ...(values && { enum: [...values, null] }),
});

/** Where the schema of a kind is, as kubeconform asks for it: `Group` is the version for the core group. */
export const LOCATION = '{{ .Group }}/{{ .ResourceAPIVersion }}/{{ .ResourceKind }}.json';
export const fileOf = ({ group, version, kind }: Omit<Kind, 'schema'>) =>
  `${group || version}/${version}/${kind.toLowerCase()}.json`;
