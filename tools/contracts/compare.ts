/** The part of JSON Schema that zod makes of our schemas. */
export type Schema = {
  type?: string | string[];
  const?: unknown;
  enum?: unknown[];
  properties?: Record<string, Schema>;
  required?: string[];
  items?: Schema;
  anyOf?: Schema[];
  format?: string;
  pattern?: string;
  [annotation: string]: unknown;
};

/**
 * What a reader asks for and a writer does not promise, as sentences; none when every document of the writer can be read.
 * Bounds (`minimum`, `maxLength`) are not compared: what they are for, a reader's own limits, is not the writer's to promise.
 * Nor is what a record holds (`additionalProperties`): no reader asks for one.
 */
export function breaks(writer: Schema, reader: Schema, path = 'data'): string[] {
  if (writer.anyOf) return writer.anyOf.flatMap((each) => breaks(each, reader, path));
  if (reader.anyOf) {
    const all = reader.anyOf.map((each) => breaks(writer, each, path));
    return all.find((one) => one.length === 0) ?? all.flat();
  }
  const type = typeBreak(writer, reader, path);
  if (type) return [type];
  return [
    ...valueBreaks(writer, reader, path),
    ...propertyBreaks(writer, reader, path),
    ...(reader.items ? breaks(writer.items ?? {}, reader.items, `${path}[]`) : []),
  ];
}

function typeBreak(writer: Schema, reader: Schema, path: string): string | undefined {
  const accepted = typesOf(reader);
  if (accepted.length === 0) return undefined;
  const sent = typesOf(writer);
  const missing = sent.filter(
    (type) => !accepted.includes(type) && !(type === 'integer' && accepted.includes('number')),
  );
  if (sent.length > 0 && missing.length === 0) return undefined;
  return `${path} is ${sent.join(' or ') || 'anything'}, and is read as ${accepted.join(' or ')}`;
}

function valueBreaks(writer: Schema, reader: Schema, path: string): string[] {
  const problems: string[] = [];
  const [sent, read] = [valuesOf(writer), valuesOf(reader)];
  if (read && !sent?.every((value) => read.includes(value)))
    problems.push(`${path} may be other than ${JSON.stringify(read)}`);
  // What a format or a pattern allows is not compared further than by its name: zod writes both the same way each time.
  if (!read && !sent) {
    for (const rule of ['format', 'pattern'] as const) {
      if (reader[rule] !== undefined && writer[rule] !== reader[rule] && !impliedBy(writer, reader, rule))
        problems.push(`${path} is read as ${rule} ${reader[rule]}, and sent as ${writer[rule] ?? 'any'}`);
    }
  }
  return problems;
}

/** Two schemas of the same format may have patterns of different detail: the format is what was asked for. */
function impliedBy(writer: Schema, reader: Schema, rule: 'format' | 'pattern'): boolean {
  return rule === 'pattern' && reader.format !== undefined && writer.format === reader.format;
}

function propertyBreaks(writer: Schema, reader: Schema, path: string): string[] {
  return Object.entries(reader.properties ?? {}).flatMap(([name, wanted]) => {
    const sent = writer.properties?.[name];
    const isRequired = reader.required?.includes(name) ?? false;
    if (!sent) return isRequired ? [`${path}.${name} is read, and not sent`] : [];
    const optional =
      isRequired && !writer.required?.includes(name)
        ? [`${path}.${name} is read always, and sent sometimes`]
        : [];
    return [...optional, ...breaks(sent, wanted, `${path}.${name}`)];
  });
}

const typesOf = ({ type }: Schema) => (type === undefined ? [] : [type].flat());
const valuesOf = (schema: Schema) => schema.enum ?? ('const' in schema ? [schema.const] : undefined);
