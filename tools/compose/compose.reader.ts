import { readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { parse } from 'yaml';
import { z } from 'zod';
import type { Limited } from './budget.ts';

const service = z.object({
  image: z.string().optional(),
  build: z.object({ context: z.string(), dockerfile: z.string().optional() }).loose().optional(),
  profiles: z.array(z.string()).optional(),
  command: z.union([z.string(), z.array(z.string())]).optional(),
  environment: z.record(z.string(), z.unknown()).optional(),
  ports: z.array(z.string()).optional(),
  networks: z.record(z.string(), z.object({ aliases: z.array(z.string()) })).optional(),
  volumes: z.array(z.string()).optional(),
  depends_on: z.record(z.string(), z.object({ condition: z.string() })).optional(),
  healthcheck: z.object({ disable: z.boolean().optional() }).loose().optional(),
  cpus: z.number().optional(),
  mem_limit: z.string().optional(),
  cap_drop: z.array(z.string()).optional(),
  read_only: z.boolean().optional(),
});
const part = z.object({
  services: z.record(z.string(), service),
  volumes: z.record(z.string(), z.null()).optional(),
});
const whole = z.object({
  include: z.array(z.strictObject({ path: z.string(), project_directory: z.literal('.') })),
});

export type ComposeService = z.infer<typeof service>;
/** One of the files that docker-compose.yml includes; `concern` is its name: "engines". */
export type ComposePart = { concern: string; file: string; text: string } & z.infer<typeof part>;

/** The parts of docker-compose.yml in `root`, in their order there, anchors and merge keys resolved. */
export function composeParts(root: string): ComposePart[] {
  const yaml = (text: string): unknown => parse(text, { merge: true });
  const { include } = whole.parse(yaml(readFileSync(join(root, 'docker-compose.yml'), 'utf8')));
  return include.map(({ path: file }) => {
    const text = readFileSync(join(root, file), 'utf8');
    return { concern: basename(file, '.yml'), file, text, ...part.parse(yaml(text)) };
  });
}

/** All services by their name. */
export function composeServices(root: string): Record<string, ComposeService> {
  return Object.assign({}, ...composeParts(root).map(({ services }) => services)) as Record<
    string,
    ComposeService
  >;
}

/** What `budgetOf` wants to know. Profiles other than observability's are for what somebody calls by its name. */
export function limitsOf(parts: ComposePart[]): Limited[] {
  const waitedFor = new Set(
    parts.flatMap(({ services }) =>
      Object.values(services).flatMap(({ depends_on = {} }) =>
        Object.entries(depends_on).flatMap(([name, { condition }]) =>
          condition === 'service_completed_successfully' ? [name] : [],
        ),
      ),
    ),
  );
  return parts.flatMap(({ concern, services }) =>
    Object.entries(services).map(([name, { mem_limit: memory, profiles = [] }]) => ({
      concern,
      name,
      memory,
      lasting: !waitedFor.has(name) && !profiles.includes('tools'),
    })),
  );
}
