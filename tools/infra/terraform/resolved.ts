/** A resource of a state, with all that was computed mocked. */
export type Resource = {
  /** `module.environment.module.service["orders"].aws_ecs_service.this["serve"]` */
  address: string;
  type: string;
  /** Key of `for_each`. */
  index?: string | number;
  values: Record<string, unknown>;
};

type Module = { resources?: RawResource[]; child_modules?: Module[] };
type RawResource = Resource & { mode: string };
type Message = {
  '@level'?: string;
  type?: string;
  test_state?: { values?: { root_module?: Module }; root_module?: Module };
  diagnostic?: Diagnostic;
};
export type Diagnostic = {
  severity: 'error' | 'warning';
  summary: string;
  detail: string;
  range?: { filename: string; start: { line: number } };
};

/** What `tofu test -json -verbose` said: the resources of the last run, and everything that went wrong. */
export function resolvedBy(output: string): { resources: Resource[]; diagnostics: Diagnostic[] } {
  const messages = output
    .split('\n')
    .filter((line) => line.startsWith('{'))
    .map((line) => JSON.parse(line) as Message);
  const states = messages.flatMap(({ test_state: state }) => state ?? []);
  const root = states.at(-1);
  return {
    resources: resourcesOf(root?.values?.root_module ?? root?.root_module ?? {}),
    diagnostics: messages.flatMap(({ diagnostic }) => diagnostic ?? []),
  };
}

const resourcesOf = ({ resources = [], child_modules: modules = [] }: Module): Resource[] => [
  ...resources.filter(({ mode }) => mode === 'managed'),
  ...modules.flatMap(resourcesOf),
];

/** `infra/terraform/environments/dev/main.tf:12 Unsupported argument: An argument named …` */
export function problemOf({ summary, detail, range }: Diagnostic, folder: string): string {
  const where = range ? `${normalized(`${folder}/${range.filename}`)}:${range.start.line}` : folder;
  return `${where} ${summary}: ${detail.replaceAll(/\s+/g, ' ').trim()}`;
}

/** `a/b/../c` is `a/c`. */
function normalized(path: string): string {
  const parts: string[] = [];
  for (const part of path.split('/')) {
    if (part === '..') parts.pop();
    else if (part !== '.') parts.push(part);
  }
  return parts.join('/');
}
