/** A package in a bundle, as CycloneDX has it. */
export type Component = {
  type: 'library';
  'bom-ref': string;
  name: string;
  version: string;
  purl: string;
  licenses?: { expression: string }[];
};
export type Manifest = { name: string; version: string; license?: string };
export type Sbom = {
  $schema: string;
  bomFormat: 'CycloneDX';
  specVersion: '1.6';
  version: 1;
  metadata: { component: { type: 'application'; name: string; version: string; purl: string } };
  components: Component[];
};

/**
 * The bill of materials of an app: the packages of which code is truly in its bundle, and not all that is installed to build it.
 * It has no time and no serial number, so that the same sources give the same file. Node and the system are the base image's.
 */
export function sbomOf(app: Manifest, packages: readonly Manifest[]): Sbom {
  const components = new Map(packages.map((one) => [purlOf(one), componentOf(one)]));
  return {
    $schema: 'http://cyclonedx.org/schema/bom-1.6.schema.json',
    bomFormat: 'CycloneDX',
    specVersion: '1.6',
    version: 1,
    metadata: {
      component: { type: 'application', name: app.name, version: app.version, purl: purlOf(app) },
    },
    components: [...components.keys()].sort().map((purl) => components.get(purl)!),
  };
}

/** The folders of the packages that esbuild took files from: of `node_modules/a/node_modules/@b/c/index.js` the inner one. */
export function packageFolders(inputs: readonly string[]): string[] {
  const folders = inputs.map((file) => {
    const installed = /^(.*node_modules\/(?:@[^/]+\/)?[^/]+)\//.exec(file)?.[1];
    return installed ?? /^(libs\/[^/]+)\//.exec(file)?.[1];
  });
  return [...new Set(folders.filter((folder) => folder !== undefined))].sort();
}

function componentOf({ name, version, license }: Manifest): Component {
  const purl = purlOf({ name, version });
  const licenses = license ? { licenses: [{ expression: license }] } : {};
  return { type: 'library', 'bom-ref': purl, name, version, purl, ...licenses };
}

/** https://github.com/package-url/purl-spec, type npm: the @ of a scope is written as %40. */
const purlOf = ({ name, version }: Manifest) => `pkg:npm/${name.replace(/^@/, '%40')}@${version}`;
