import { createHash } from 'node:crypto';
import { cpSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { arch, platform } from 'node:process';
import { basename, join } from 'node:path';
import { findProgram } from '../../stack/programs.ts';
import type { Say } from '../check.ts';
import { cached, pinOf, told } from '../programs/cache.ts';
import { goTool } from '../programs/go.ts';
import { run, runOrFail } from '../programs/run.ts';
import { schemaOf, type Block } from './provider-schema.ts';

/**
 * hashicorp/aws is on no package registry, its schemas are: in the classes that CDK Terrain's generator writes for each version.
 * With them a provider of ours answers in its name that knows schemas and does nothing.
 */
const PACKAGE = {
  name: '@cdktn/provider-aws',
  version: '25.7.0',
  integrity:
    'sha512-E/nhu0yVZE4mXMgIPuI8tEFt1BExLkA7ARjihdG+/HmfDfzLr+OEF3dkFRvI6glRt30lrrBWQLwXqCJBxcmyUg==',
};
/** Of hashicorp/aws, for which the package was made. */
export const PROVIDER_VERSION = '6.66.0';

/** Types of resources and data sources, as `aws_ecs_service`. */
export type Types = { resources: string[]; dataSources: string[] };
export type Provider = {
  /** For OpenTofu as its only source of providers: a `filesystem_mirror`. */
  mirror: string;
  /** For the environment of OpenTofu, which hands it on. */
  env: { PROVIDER_SCHEMAS: string };
};

/** @throws Error when Go, npm or tar is missing, or the package is not the one that was pinned */
export async function schemaProvider(types: Types, progress: Say): Promise<Provider> {
  const binary = await goTool('schema-provider', progress);
  const mirror = await cached(`tofu-mirror-${pinOf(basename(binary), PROVIDER_VERSION)}`, async (draft) => {
    const folder = join(draft, 'registry.opentofu.org/hashicorp/aws', PROVIDER_VERSION, target());
    mkdirSync(folder, { recursive: true });
    cpSync(binary, join(folder, 'terraform-provider-aws'));
  });
  return { mirror, env: { PROVIDER_SCHEMAS: await schemas(types, progress) } };
}

/** As Go names what it builds for. */
const target = () => `${platform}_${{ x64: 'amd64' }[arch as string] ?? arch}`;

/** The file with the schemas of these types. One that the provider does not have is left out, and OpenTofu will say so. */
async function schemas({ resources, dataSources }: Types, progress: Say): Promise<string> {
  const reader = readFileSync(join(import.meta.dirname, 'provider-schema.ts'), 'utf8');
  const pin = pinOf(PACKAGE.integrity, reader, ...resources, '', ...dataSources);
  return cached(`aws-schemas-${pin}.json`, async (draft) => {
    const tarball = await packageFile(progress);
    const modules = await extract(tarball, [
      'provider',
      ...resources.map(moduleOf),
      ...dataSources.map(dataOf),
    ]);
    const named = (types: string[], module: (type: string) => string) =>
      types.flatMap((type) => {
        const block = modules.get(module(type));
        return block ? [[type, { block }]] : [];
      });
    const all = {
      provider: { block: modules.get('provider') },
      resource_schemas: Object.fromEntries(named(resources, moduleOf)),
      data_source_schemas: Object.fromEntries(named(dataSources, dataOf)),
    };
    writeFileSync(draft, JSON.stringify(all));
  });
}

const moduleOf = (type: string) => type.replace(/^aws_/, '').replaceAll('_', '-');
const dataOf = (type: string) => `data-${type.replaceAll('_', '-')}`;

function packageFile(progress: Say): Promise<string> {
  const { name, version, integrity } = PACKAGE;
  return cached(`provider-aws-${pinOf(integrity)}.tgz`, async (draft) => {
    const npm = findProgram('npm');
    if (!npm) throw new Error(`npm is missing, ${name} comes by it: see nodejs.org/en/download`);
    const folder = `${draft}.d`;
    mkdirSync(folder, { recursive: true });
    try {
      await told(
        progress,
        `getting the schemas of hashicorp/aws ${PROVIDER_VERSION} by npm, once (46 MB)`,
        () =>
          runOrFail(
            npm,
            ['pack', `${name}@${version}`, '--ignore-scripts', '--silent', '--pack-destination', folder],
            {
              cwd: folder,
            },
          ),
      );
      const text = readFileSync(join(folder, `${name.replace('@', '').replace('/', '-')}-${version}.tgz`));
      const got = `sha512-${createHash('sha512').update(text).digest('base64')}`;
      if (got !== integrity)
        throw new Error(`${name}@${version} has the hash ${got}, it should be ${integrity}: find out why`);
      writeFileSync(draft, text);
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  });
}

/** The schemas of those modules of the package that exist, by module. */
async function extract(tarball: string, modules: string[]): Promise<Map<string, Block>> {
  const tar = findProgram('tar');
  if (!tar) throw new Error('tar is missing: apt-get install tar');
  const fileOf = (module: string) => `package/lib/${module}/index.js`;
  const folder = `${tarball}.${process.pid}.d`;
  mkdirSync(folder, { recursive: true });
  try {
    // What is not in it makes tar fail, at its end and after all that is.
    const { stderr } = await run(tar, ['-xzf', tarball, '-C', folder, ...modules.map(fileOf)]);
    const there = modules.filter((module) => existsSync(join(folder, fileOf(module))));
    if (!there.includes('provider')) throw new Error(`${tarball} can't be read, delete it: ${stderr}`);
    return new Map(
      there.map((module) => [module, schemaOf(readFileSync(join(folder, fileOf(module)), 'utf8'))]),
    );
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
