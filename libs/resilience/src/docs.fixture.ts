import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import ts from 'typescript';

/** What the compiler knows of this library's options, and of the code in its pages. */
export const home = join(import.meta.dirname, '..');
export const page = (name: string): string => readFileSync(join(home, name), 'utf8');

export type Option = { name: string; type: string; default: string; meaning: string };

const ENTRIES = ['index.ts', 'otel/index.ts', 'nest/index.ts', 'testing/index.ts'];

function programOf(files: string[], virtual: ReadonlyMap<string, string> = new Map()): ts.Program {
  const config = ts.readConfigFile(join(home, 'tsconfig.json'), ts.sys.readFile).config as object;
  const { options } = ts.parseJsonConfigFileContent(config, ts.sys, home);
  const compilerOptions: ts.CompilerOptions = {
    ...options,
    ...{ composite: false, incremental: false, noEmit: true, allowImportingTsExtensions: true },
    erasableSyntaxOnly: false,
  };
  const host = ts.createCompilerHost(compilerOptions);
  const { fileExists, readFile, getSourceFile } = host;
  host.fileExists = (file) => virtual.has(file) || fileExists.call(host, file);
  host.readFile = (file) => virtual.get(file) ?? readFile.call(host, file);
  host.getSourceFile = (file, language, ...rest) =>
    virtual.has(file)
      ? ts.createSourceFile(file, virtual.get(file)!, language)
      : getSourceFile.call(host, file, language, ...rest);
  return ts.createProgram(files, compilerOptions, host);
}

let sources: ts.Program | undefined;
const program = () => (sources ??= programOf(ENTRIES.map((entry) => join(home, 'src', entry))));

/** The options that people can give, by the name of their type. */
export function optionTypes(): Map<string, Option[]> {
  const checker = program().getTypeChecker();
  const types = new Map<string, Option[]>();
  for (const entry of ENTRIES) {
    const module = checker.getSymbolAtLocation(program().getSourceFile(join(home, 'src', entry))!)!;
    for (const exported of checker.getExportsOfModule(module)) {
      const isAlias = exported.flags & ts.SymbolFlags.Alias;
      const declaration = (isAlias ? checker.getAliasedSymbol(exported) : exported).declarations?.[0];
      if (!exported.name.endsWith('Options') || !declaration || !ts.isTypeAliasDeclaration(declaration))
        continue;
      const members = membersOf(declaration.type);
      if (members.length > 0) types.set(exported.name, members.map(optionOf));
    }
  }
  return types;
}

function membersOf(type: ts.TypeNode): ts.PropertySignature[] {
  if (ts.isTypeLiteralNode(type)) return type.members.filter(ts.isPropertySignature);
  return ts.isIntersectionTypeNode(type) ? type.types.flatMap(membersOf) : [];
}

function optionOf(member: ts.PropertySignature): Option {
  const type = member.type!.getText().replace(/^([^>]*) \| undefined$/, '$1');
  const [comment] = ts.getJSDocCommentsAndTags(member);
  const text = ((comment?.comment as string | undefined) ?? `See \`${type}\`.`).replace(/\s+/g, ' ');
  const [before, value, after] = splitDefault(text);
  return {
    name: member.name.getText(),
    type,
    default: member.questionToken ? (value ?? '–') : 'required',
    meaning: [before, after].filter(Boolean).join(' '),
  };
}

/** `Calls that wait. Default 0: none. From 0.` is the meaning, the default, and more of the meaning. */
function splitDefault(text: string): (string | undefined)[] {
  const found = /^(.*?)\s*\bDefault:? ((?:`[^`]*`|[^`])+?)\.(?: (.*))?$/.exec(text);
  return found === null ? [text] : found.slice(1);
}

export type CodedDefault = { option: string; documented: string; coded: string };

const asCode = (text: string) => text.replace(/[`'\s]/g, '');

/** Defaults that are a value in the comment, with what the code assigns: `const { queue = 0 } = options`. */
export function codedDefaults(): CodedDefault[] {
  const checker = program().getTypeChecker();
  const documented = new Map(
    [...optionTypes()].flatMap(([type, options]) =>
      options.map((option): [string, string] => [`${type}.${option.name}`, option.default]),
    ),
  );
  const found: CodedDefault[] = [];
  const visit = (node: ts.Node): void => {
    if (ts.isObjectBindingPattern(node) && 'initializer' in node.parent) {
      const type = checker.getTypeAtLocation(node.parent.initializer ?? node.parent);
      for (const { name, propertyName, initializer } of node.elements) {
        const property = type.getProperty((propertyName ?? name).getText());
        const alias =
          property?.declarations?.[0] && ts.findAncestor(property.declarations[0], ts.isTypeAliasDeclaration);
        const option = `${alias?.name.text}.${property?.name}`;
        const value = documented.get(option)?.split(/[:;] /)[0];
        if (initializer && value && /^(`[^`]*`|[\d.]+( \w+)?|true|false)$/.test(value)) {
          found.push({ option, documented: asCode(value), coded: asCode(initializer.getText()) });
        }
      }
    }
    ts.forEachChild(node, visit);
  };
  const ours = program()
    .getSourceFiles()
    .filter(({ fileName }) => fileName.startsWith(join(home, 'src')));
  ours.forEach(visit);
  return found;
}

/** What the compiler says against pieces of TypeScript, each a module of its own. */
export function complaints(snippets: readonly string[]): string[] {
  const files = new Map(
    snippets.map((code, at) => [join(home, `docs/snippet-${at + 1}.ts`), `${code}\nexport {};`]),
  );
  const compiled = programOf([...files.keys()], files);
  return [...files.keys()].flatMap((file) => {
    const source = compiled.getSourceFile(file)!;
    const found = [...compiled.getSyntacticDiagnostics(source), ...compiled.getSemanticDiagnostics(source)];
    return found.map(({ messageText, start = 0 }) => {
      const { line } = source.getLineAndCharacterOfPosition(start);
      const code = source.text.split('\n')[line]!.trim();
      return `${ts.flattenDiagnosticMessageText(messageText, '\n')} in: ${code}`;
    });
  });
}

/** All blocks of TypeScript on a page. */
export function snippetsOf(text: string): string[] {
  return [...text.matchAll(/^```ts\n(.*?)^```$/gms)].map((match) => match[1]!);
}

/** The table under the heading that begins with the name of a type, and what is between them. */
const tableUnder = (type: string) =>
  new RegExp(`(^### \`${type}\`.*\\n\\n(?:[^|#\\n].*\\n|\\n)*)((?:\\|.*\\n)+)`, 'm');

/** The cells of that table, without its head. */
export function tableOf(text: string, type: string): string[][] | undefined {
  return tableUnder(type).exec(text)?.[2]?.split('\n').slice(2, -1).map(cellsOf);
}

/** The same page with tables that are made from the types. */
export function withTables(text: string, types: ReadonlyMap<string, readonly Option[]>): string {
  const row = (cells: string[]) => `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |\n`;
  const head = row(['option', 'type', 'default', 'meaning']) + row(['---', '---', '---', '---']);
  return [...types].reduce(
    (page, [type, options]) =>
      page.replace(
        tableUnder(type),
        (_, before: string) => before + head + rowsOf(options).map(row).join(''),
      ),
    text,
  );
}

function cellsOf(row: string): string[] {
  const cells = row.split(/(?<!\\)\|/).slice(1, -1);
  return cells.map((cell) => cell.trim().replaceAll('\\|', '|'));
}

/** The rows that the table of an options type has to have. */
export function rowsOf(options: readonly Option[]): string[][] {
  return options.map(({ name, type, default: value, meaning }) => [
    `\`${name}\``,
    `\`${type}\``,
    value,
    meaning,
  ]);
}
