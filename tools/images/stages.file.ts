import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';
import type { AppName } from '../local/apps.ts';
import { repoRoot } from '../stack/paths.ts';

/** Development first. */
export const STAGES = ['development', 'staging', 'production'] as const;
export type Stage = (typeof STAGES)[number];
export type StageEnvironment = {
  variables: Record<string, string>;
  /** Which of them are secrets. */
  secrets: string[];
};

const KUBERNETES = join(repoRoot, 'infra/kubernetes');
type Generator = { name: string; envs: string[] };

/**
 * What a process of an app gets in a stage: the base's configuration, that of the overlay over it, and the secrets. Those of
 * staging and production are in no repository; here are some of the same form, each with the word "canary" in it.
 */
export function stageEnvironment(app: AppName, stage: Stage): StageEnvironment {
  const overlay = join(KUBERNETES, 'overlays', stage);
  const kustomization = parse(readFileSync(join(overlay, 'kustomization.yaml'), 'utf8')) as {
    configMapGenerator: Generator[];
    secretGenerator?: Generator[];
  };
  const read = (generators: Generator[] = [], name: string) =>
    Object.assign(
      {},
      ...(generators.find((one) => one.name === name)?.envs ?? []).map((file) =>
        pairsOf(join(overlay, file)),
      ),
    ) as Record<string, string>;
  const secrets = Object.keys(pairsOf(join(KUBERNETES, 'base', app, 'secret.example.env')));
  const variables = {
    ...pairsOf(join(KUBERNETES, 'base', app, 'config.env')),
    ...Object.fromEntries(secrets.map((name) => [name, canary(name, app, stage)])),
    ...read(kustomization.configMapGenerator, `${app}-config`),
    ...read(kustomization.secretGenerator, `${app}-secret`),
  };
  return { variables, secrets };
}

/** The variables that a deployment has to set: the generated files of the base hold `<NAME>` for them. */
export function requiredVariables(app: AppName): string[] {
  const base = ['config.env', 'secret.example.env'].map((file) =>
    pairsOf(join(KUBERNETES, 'base', app, file)),
  );
  return base.flatMap((pairs) => Object.keys(pairs).filter((name) => pairs[name] === `<${name}>`));
}

function canary(name: string, app: AppName, stage: Stage): string {
  const scheme = { DATABASE_URL: 'postgres', REDIS_URL: 'rediss', SMTP_URL: 'smtps' }[name];
  const secret = `canary-${stage}-${name.toLowerCase().replaceAll('_', '-')}`;
  if (!scheme) return secret;
  return `${scheme}://${app}:${secret}@${scheme}.${stage}.example${scheme === 'postgres' ? `/${app}` : ''}`;
}

function pairsOf(file: string): Record<string, string> {
  if (!existsSync(file)) throw new Error(`${file} is missing: the stages' configuration is read from there`);
  const lines = readFileSync(file, 'utf8').split('\n');
  return Object.fromEntries(
    lines.flatMap((line) => {
      const [, name, value] = /^(\w+)=(.*)$/.exec(line) ?? [];
      return name ? [[name, value ?? '']] : [];
    }),
  );
}

/** Passwords and hosts of an environment that no image may hold. A name of one word would be found in any text. */
export function namedIn({ variables, secrets }: StageEnvironment): string[] {
  const passwords = secrets.map((name) => /:([^:@/]+)@/.exec(variables[name]!)?.[1] ?? variables[name]!);
  const hosts = Object.values(variables).flatMap((value) => [
    ...[...value.matchAll(/\/\/(?:[^@/]*@)?([\w-]+(?:\.[\w-]+)+)/g)].map(([, host]) => host!),
    ...[...value.matchAll(/(?:^|,)([\w-]+(?:\.[\w-]+)+):\d+/g)].map(([, host]) => host!),
  ]);
  return [...new Set([...passwords, ...hosts])].filter((value) => value && !/^127\./.test(value));
}
