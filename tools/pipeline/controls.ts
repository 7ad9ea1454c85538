import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { buildText, docker } from '../images/docker.client.ts';
import type { Crane } from './crane.client.ts';
import type { Scene } from './dry-run.ts';
import { NotPromotedError, promote, short } from './promote.ts';

type Control = { does: string; expects: RegExp; run: () => Promise<unknown> };

/** Ready, and wrong for its customers: what only a smoke test finds. */
const READY_AND_BROKEN = `
const [, role] = process.argv;
if (role === 'migrate') process.exit();
const answer = (status) => (_, response) => response.writeHead(status).end();
require('http').createServer(answer(200)).listen(process.env.METRICS_PORT);
require('http').createServer(answer(500)).listen(process.env.PORT);
process.on('SIGTERM', () => process.exit());`;

/**
 * What must not get into production does not: each is tried, with the release `running` in force.
 *
 * @returns what was not noticed
 */
export async function controls(scene: Scene, good: string, running: string): Promise<string[]> {
  const { tools, repository, platforms, delivery } = scene;
  const { crane, cosign, step } = tools;
  const production = delivery('production');
  const image = `${repository}@${good}`;
  const add = (name: string, line: string) =>
    derived(crane, `${repository}:${name}`, `FROM ${image}\n${line}\n`);
  const list: Control[] = [
    {
      does: 'an image that nobody signed is refused',
      expects: /refuses it: no signatures found/,
      run: async () => promote(production, 'production', await add('unsigned', 'LABEL unsigned=1')),
    },
    {
      does: 'an image that was changed after it was signed is refused, though it has the tag of the commit',
      expects: /refuses it: no signatures found/,
      run: async () => {
        await add('tampered', 'ENV NODE_OPTIONS=--inspect=0.0.0.0');
        await crane.tag(`${repository}:tampered`, 'moved');
        await promote(production, 'production', (await crane.digest(`${repository}:moved`))!);
      },
    },
    {
      does: 'a signed image that is ready, and fails its smoke test, is taken back by itself',
      expects: /was not promoted to production; sha256:\w+ runs again/,
      run: async () => {
        const script = JSON.stringify(['node', '-e', READY_AND_BROKEN, '--']);
        const digest = await add('broken', `ENTRYPOINT ${script}`);
        await signed(cosign, `${repository}@${digest}`);
        await promote(production, 'production', digest);
      },
    },
  ];
  const missed: string[] = [];
  for (const { does, expects, run } of list) {
    const why = await run().then(
      () => 'it was promoted',
      (error: unknown) => told(error),
    );
    const now = await platforms.production.running();
    const isKept = now === short(running);
    if (expects.test(why) && isKept) await step('control', does, () => Promise.resolve());
    else missed.push(`${does}: ${why}; production runs ${now}, ${short(running)} is due`);
  }
  return missed;
}

async function signed(cosign: Scene['tools']['cosign'], image: string): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'cairn-control-'));
  try {
    const sbom = join(folder, 'sbom.json');
    await writeFile(sbom, '{"bomFormat":"CycloneDX","specVersion":"1.6","version":1,"components":[]}');
    await cosign.sign(image, sbom);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** An image on top of another one, which is built and pushed; answers its digest. */
async function derived(crane: Crane, tag: string, dockerfile: string): Promise<string> {
  await buildText(tag, dockerfile);
  await docker(['push', '--quiet', tag]);
  const digest = await crane.digest(tag);
  if (!digest) throw new Error(`${tag} was pushed, and the registry does not have it`);
  return digest;
}

const told = (error: unknown) =>
  error instanceof NotPromotedError ? error.message : (error as Error).message.split('\n')[0]!;
