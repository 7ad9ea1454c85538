import { run } from '../infra/programs/run.ts';
import type { Component } from '../build/sbom.ts';

export type Advised = { name: string; severity: string; title: string };
/** `asked` is false where the registry answers no such question, as a mirror may not. */
export type Advisories = { asked: boolean; why?: string; found: Advised[] };

type Audit = {
  message?: string;
  vulnerabilities?: Record<string, { severity: string; via: (string | { title: string })[] }>;
};

const BAD = ['high', 'critical'];

/** What npm's registry knows against the packages of an image: of those in the lock file, the ones that are truly in it. */
export async function advisoriesFor(root: string, components: readonly Component[]): Promise<Advisories> {
  const { stdout, stderr } = await run('npm', ['audit', '--json', '--omit=dev'], { cwd: root });
  try {
    return judged(JSON.parse(stdout) as Audit, components);
  } catch {
    return { asked: false, why: stderr.trim().split('\n')[0] ?? 'no answer', found: [] };
  }
}

/** High and critical ones only: those stop a release. */
export function judged(audit: Audit, components: readonly Component[]): Advisories {
  if (!audit.vulnerabilities) return { asked: false, why: audit.message ?? 'no answer', found: [] };
  const shipped = new Set(components.map(({ name }) => name));
  const found = Object.entries(audit.vulnerabilities)
    .filter(([name, { severity }]) => shipped.has(name) && BAD.includes(severity))
    .map(([name, { severity, via }]) => {
      const titles = via.map((one) => (typeof one === 'string' ? `by ${one}` : one.title));
      return { name, severity, title: titles.join('; ') };
    });
  return { asked: true, found };
}
