import { mkdirSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseAllDocuments } from 'yaml';
import { cacheDir } from '../../stack/paths.ts';
import { findProgram } from '../../stack/programs.ts';
import type { Say } from '../check.ts';
import { told } from '../programs/cache.ts';
import { run } from '../programs/run.ts';
import type { Crd } from './crd.ts';
import type { SchemaModule } from './modules.ts';
import type { OpenApi } from './openapi.ts';

type Downloaded = { Dir?: string; Sum?: string; Error?: string };

/**
 * The folder of a module's files, downloaded by Go into its own cache when they are not there.
 * @throws Error when there is no Go, the module can't be had, or its files are not those that were pinned
 */
export async function folderOf({ path, version, sum }: SchemaModule, progress: Say): Promise<string> {
  const go = findProgram('go');
  if (!go) {
    throw new Error(
      `Go is missing, ${path} comes by it: apt-get install golang-go, or see go.dev/doc/install`,
    );
  }
  const env = { ...process.env, GOFLAGS: '', GOWORK: 'off' };
  mkdirSync(cacheDir, { recursive: true });
  const { stdout, stderr } = await told(progress, `getting ${path} ${version} by Go, once`, () =>
    run(go, ['mod', 'download', '-json', `${path}@${version}`], { cwd: cacheDir, env }),
  );
  const { Dir, Sum, Error: failed } = JSON.parse(stdout || '{}') as Downloaded;
  if (!Dir) throw new Error(`${path}@${version} can't be had: ${failed ?? stderr}`);
  if (Sum !== sum) {
    throw new Error(
      `${path}@${version} has the hash ${Sum}, tools/infra/schemas/modules.ts says ${sum}: find out why`,
    );
  }
  return Dir;
}

export async function openApiOf(module: SchemaModule, progress: Say): Promise<OpenApi[]> {
  const texts = await textsOf(module, '.json', progress);
  return texts.map((text) => JSON.parse(text) as OpenApi);
}

export async function crdsOf(module: SchemaModule, progress: Say): Promise<Crd[]> {
  const texts = await textsOf(module, '.yaml', progress);
  const objects = texts.flatMap((text) => parseAllDocuments(text)).map((one) => one.toJS() as Crd | null);
  return objects.filter((one): one is Crd => one?.kind === 'CustomResourceDefinition');
}

async function textsOf(module: SchemaModule, ending: string, progress: Say): Promise<string[]> {
  const folder = join(await folderOf(module, progress), module.folder);
  const files = readdirSync(folder).filter((name) => name.endsWith(ending));
  return files.map((name) => readFileSync(join(folder, name), 'utf8'));
}
