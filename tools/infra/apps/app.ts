/** What an app is, by its schema and code. */
export type App = {
  name: string;
  variables: string[];
  /** Those without a default, but for a developer's machine. */
  required: string[];
  secrets: string[];
  /** What is wrong with an environment, by the app's own schema. */
  refused: (env: Record<string, string>) => { variable: string; expected: string; fix: string }[];
  commands: string[];
  /** Defaults of PORT and METRICS_PORT. */
  port: number;
  managementPort: number;
  /** What is answered on each of them. Braces stand for parameters, as in OpenAPI. */
  paths: { http: string[]; management: string[] };
  /** Those of its OpenAPI: what clients may ask for. */
  api: string[];
  /** What it consumes. */
  subscriptions: { topic: string; group: string }[];
};

/** Variables that are not the app's own: what Node reads. */
const NODE = /^(NODE_[A-Z_]+|TZ)$/;

export function isVariable(name: string, { variables }: App): boolean {
  return NODE.test(name) || variables.includes(name.replace(/_FILE$/, '')) || variables.includes(name);
}

/** What the app needs, and is not given: neither itself nor as a file. */
export function missing({ required }: App, given: string[]): string[] {
  return required.filter((name) => !given.includes(name) && !given.includes(`${name}_FILE`));
}

/** Whether a path is one to be probed. Others are answered as well, and tell nothing of health; one begins to drain. */
export const isProbe = (path: string): boolean => path.startsWith('/health/');
