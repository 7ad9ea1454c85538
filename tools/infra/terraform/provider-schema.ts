/**
 * Schemas of a provider out of the classes that CDK Terrain's generator writes for it, whose every class tells what the provider
 * itself says: which arguments there are, of what type, which are required, which are blocks.
 * What comes out is what `tofu providers schema -json` prints, as far as the classes know it: sensitivity is not in them.
 */
export type Type =
  'string' | 'number' | 'bool' | 'dynamic' | ['list' | 'set' | 'map', Type] | ['object', Fields];
type Fields = { [name: string]: Type };

export type Attribute = {
  type: Type;
  required?: true;
  optional?: true;
  computed?: true;
  write_only?: true;
};
export type NestedBlock = {
  nesting_mode: 'single' | 'list' | 'set';
  block: Block;
  min_items?: number;
  max_items?: number;
};
export type Block = { attributes: Record<string, Attribute>; block_types: Record<string, NestedBlock> };

/** The schema of the resource, data source or provider whose class is in this text. */
export function schemaOf(source: string): Block {
  const parts = partsOf(source);
  const main = parts.classes.get('');
  if (main === undefined) {
    throw new Error('there is no class of a resource in it: is it a module of @cdktn/provider-…?');
  }
  return blockOf(main, main, parts);
}

type Parts = {
  /** Texts of classes, by the name of what they are a reference to; '' is the resource's own. */
  classes: Map<string, string>;
  /** What lists the arguments of a nested block, by its name. */
  structs: Map<string, string>;
};

function partsOf(source: string): Parts {
  const classes = new Map<string, string>();
  const structs = new Map<string, string>();
  for (const [text, name = '', parent] of source.matchAll(/^class (\w+) extends cdktn\.(\w+) \{[^]*?^\}/gm)) {
    if (/^Terraform(Resource|DataSource|Provider|EphemeralResource)$/.test(parent!)) classes.set('', text);
    else if (name.endsWith('OutputReference')) classes.set(name.replace(/OutputReference$/, ''), text);
  }
  for (const [text, name = ''] of source.matchAll(/^function (\w+)ToHclTerraform\([^]*?^\}/gm)) {
    structs.set(name[0]!.toUpperCase() + name.slice(1), text);
  }
  return { classes, structs };
}

/**
 * @param setters what lists the arguments
 * @param getters what can be read, and with which rules
 */
function blockOf(setters: string, getters: string, parts: Parts): Block {
  const rules = rulesOf(getters);
  const block: Block = { attributes: {}, block_types: {} };
  for (const argument of argumentsOf(setters)) {
    const rule = rules.get(argument.name) ?? { optional: true };
    if (argument.isBlock) block.block_types[argument.name] = nestedOf(argument, rule, parts);
    else block.attributes[argument.name] = attributeOf(argument, rule, parts);
  }
  for (const [name, { read, ...rule }] of rules) {
    if (name in block.attributes || name in block.block_types) continue;
    block.attributes[name] = { type: typeRead(read ?? '', parts), ...rule };
  }
  return block;
}

type Argument = { name: string; value: string; isBlock: boolean; nesting: string; kind: string };
type Rule = { computed?: true; optional?: true; required?: true; read?: string };

const ARGUMENT =
  /^ +(\w+): \{\n +value: (.*),\n +isBlock: (true|false),\n +type: "(\w+)",\n +storageClassType: "(\w+)",/gm;

const argumentsOf = (text: string): Argument[] =>
  [...text.matchAll(ARGUMENT)].map(([, name = '', value = '', isBlock, nesting = '', kind = '']) => ({
    name,
    value,
    isBlock: isBlock === 'true',
    nesting,
    kind,
  }));

const RULE = /^ +\/\/ (\w+) - computed: (\w+), optional: (\w+), required: (\w+)\n([^]*?)^ {4}\}/gm;

function rulesOf(text: string): Map<string, Rule> {
  const rules = [...text.matchAll(RULE)].map(
    ([, name = '', computed, optional, required, read = '']): [string, Rule] => [
      name,
      {
        ...(computed === 'true' && { computed: true }),
        ...(optional === 'true' && { optional: true }),
        ...(required === 'true' && { required: true }),
        read,
      },
    ],
  );
  return new Map(rules);
}

function attributeOf(
  { value, nesting, kind }: Argument,
  { read: _, ...rule }: Rule,
  parts: Parts,
): Attribute {
  const isWriteOnly = value.includes('markWriteOnlyAttribute(');
  return { type: typeWritten(nesting, kind, parts), ...rule, ...(isWriteOnly && { write_only: true }) };
}

function nestedOf({ value, nesting, kind }: Argument, rule: Rule, parts: Parts): NestedBlock {
  const block = structOf(nesting, kind, parts);
  if (nesting === 'struct') return { nesting_mode: 'single', block };
  return {
    nesting_mode: nesting === 'set' ? 'set' : 'list',
    block,
    ...(rule.required && { min_items: 1 }),
    // What there can be several of is mapped over.
    ...(!value.includes('listMapperHcl(') && { max_items: 1 }),
  };
}

function structOf(nesting: string, kind: string, parts: Parts): Block {
  const name = nesting === 'struct' ? kind : kind.replace(/(List|Map)$/, '');
  return blockOf(parts.structs.get(name) ?? '', parts.classes.get(name) ?? '', parts);
}

const SCALARS: Record<string, Type> = { string: 'string', number: 'number', boolean: 'bool', any: 'dynamic' };

/** `stringListMap` is a map of lists of strings. */
function typeWritten(nesting: string, kind: string, parts: Parts): Type {
  const scalar = SCALARS[kind];
  if (scalar !== undefined) return scalar;
  const [, of = '', collection] = /^([a-z]\w*?)(List|Map)$/.exec(kind) ?? [];
  if (collection) {
    const outer = collection === 'Map' ? 'map' : nesting === 'set' ? 'set' : 'list';
    return [outer, typeWritten('', of, parts)];
  }
  const object = objectOf(structOf(nesting, kind, parts));
  return nesting === 'struct' || nesting === 'simple' ? object : [nesting as 'list' | 'set' | 'map', object];
}

const READ: [RegExp, Type][] = [
  [/getNumberListAttribute\(/, ['list', 'number']],
  [/Fn\.tolist\(this\.getListAttribute\(/, ['set', 'string']],
  [/getListAttribute\(/, ['list', 'string']],
  [/getStringAttribute\(/, 'string'],
  [/getNumberAttribute\(/, 'number'],
  [/getBooleanAttribute\(/, 'bool'],
  [/new cdktn\.StringMap\(/, ['map', 'string']],
  [/new cdktn\.NumberMap\(/, ['map', 'number']],
  [/new cdktn\.BooleanMap\(/, ['map', 'bool']],
];

/** The type of what can only be read, by how it is read. */
function typeRead(read: string, parts: Parts): Type {
  const [, kind, isSet] = /= new (\w+)(?:List|Map)\(this, "\w+", (true|false)\)/.exec(read) ?? [];
  if (kind !== undefined) {
    return [isSet === 'true' ? 'set' : 'list', objectOf(structOf('struct', kind, parts))];
  }
  return READ.find(([how]) => how.test(read))?.[1] ?? 'dynamic';
}

function objectOf({ attributes, block_types: blocks }: Block): Type {
  const plain = Object.entries(attributes).map(([name, { type }]): [string, Type] => [name, type]);
  const nested = Object.entries(blocks).map(([name, { nesting_mode: mode, block }]): [string, Type] => [
    name,
    mode === 'single' ? objectOf(block) : [mode, objectOf(block)],
  ]);
  return ['object', Object.fromEntries([...plain, ...nested])];
}
