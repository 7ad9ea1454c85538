import { parseArgs } from 'node:util';
import { table } from '../local/tables.ts';
import { printer, step } from '../stack/progress.ts';
import {
  baseOf,
  buildImage,
  factsOf,
  IMAGES,
  originOf,
  type Base,
  type Built,
  type ImageName,
} from './build.ts';
import { checkConfigurations, checkContainers, checkLayers, type Checked } from './checks.ts';
import { removeContainers } from './container.ts';
import { requireEngine } from './docker.client.ts';
import { differences } from './reproduce.ts';
import { imageViolations, mb } from './verdict.ts';

/** `npm run images`: builds the images from this tree and checks each on the engine. */
const USAGE = `npm run images -- [${IMAGES.join('|')}…] [--no-build] [--no-checks] [--reproduce] [--repository NAME]

--no-build         checks the images that the engine has
--no-checks        builds, and no more
--reproduce        builds each once more without any cache: its layers must be the same
--repository NAME  their names are NAME/orders and so on; default cairn`;

const { chosen, values } = arguments_();
const leaving = new AbortController();
for (const signal of ['SIGINT', 'SIGTERM'] as const)
  process.on(signal, () => leaving.abort(new Error(`ended by ${signal}`)));
process.on('disconnect', () => leaving.abort(new Error('ended by the end of npm')));
const options = { report: printer(), signal: leaving.signal };

try {
  await requireEngine();
  await removeContainers();
  const problems = await run();
  console.log(
    `\n${problems.length ? problems.map((one) => `✗ ${one}`).join('\n') : '✓ all as it has to be'}`,
  );
  process.exitCode = problems.length ? 1 : 0;
} catch (error) {
  console.error(`\n✗ ${(error as Error).message}`);
  process.exitCode = 1;
} finally {
  await removeContainers().catch(() => undefined); // no engine answers: then none is left either
}
process.exit();

async function run(): Promise<string[]> {
  const origin = await originOf();
  const base = await baseOf(origin.base, options);
  const built: Built[] = [];
  for (const name of chosen) built.push(await build(name, base, origin));
  console.log(`\n${buildTable(built, base)}\n`);
  const problems = built.flatMap((one) => imageViolations(one).map((problem) => `${one.name}: ${problem}`));
  if (values.reproduce)
    for (const one of built) problems.push(...(await differences(one, base, { ...options, origin })));
  if (values['no-checks']) return problems;
  const checked = [
    await checkLayers(built, base, options),
    await checkConfigurations(built, options),
    await checkContainers(built, options),
  ];
  console.log(`\n${checkTable(built, checked)}`);
  const found = built.flatMap(({ name }) =>
    checked.flatMap((one) => (one.get(name)?.problems ?? []).map((problem) => `${name}: ${problem}`)),
  );
  return [...problems, ...found];
}

async function build(
  name: ImageName,
  base: Base,
  origin: Awaited<ReturnType<typeof originOf>>,
): Promise<Built> {
  const reference = `${values.repository}/${name}`;
  let line = '';
  const onLine = (text: string) => (line = /^#\d+ \[.*/.exec(text)?.[0].slice(0, 80) ?? line);
  const seconds = values['no-build']
    ? 0
    : await step(
        options.report,
        name,
        'docker build',
        () => buildImage(name, { ...options, origin, tag: reference, onLine }),
        () => line,
      );
  return { name, reference, seconds, ...(await factsOf(reference, base, options)) };
}

function buildTable(built: readonly Built[], base: Base): string {
  const head = ['image', 'built in', 'over the base', 'layers', 'id'];
  const rows = built.map(({ reference, seconds, ownBytes, ownLayers, id }) => [
    reference,
    values['no-build'] ? '-' : `${seconds.toFixed(1)} s`,
    mb(ownBytes),
    `${base.layers.length} + ${ownLayers}`,
    id,
  ]);
  return table([head, ...rows]) + `\nbase: ${base.reference}, ${mb(base.bytes)}`;
}

function checkTable(built: readonly Built[], checked: readonly Map<string, Checked>[]): string {
  const heads = ['user', 'root', 'privileges', 'healthy', 'SIGTERM', 'layers', 'configurations'];
  const rows = built.map((one) => {
    const { name } = one;
    const cells = Object.assign({}, ...checked.map((part) => part.get(name)?.cells ?? {})) as Record<
      string,
      string
    >;
    const isGood = !imageViolations(one).length && checked.every((part) => !part.get(name)?.problems.length);
    return [isGood ? '✓' : '✗', name, ...heads.map((head) => cells[head] ?? '-')];
  });
  return table([['', 'image', ...heads], ...rows]);
}

function arguments_() {
  try {
    const { values, positionals } = parseArgs({
      allowPositionals: true,
      options: {
        'no-build': { type: 'boolean', default: false },
        'no-checks': { type: 'boolean', default: false },
        reproduce: { type: 'boolean', default: false },
        repository: { type: 'string', default: 'cairn' },
      },
    });
    const unknown = positionals.filter((name) => !(IMAGES as readonly string[]).includes(name));
    if (unknown.length) throw new Error(`no image ${unknown.join(', ')}`);
    return { values, chosen: IMAGES.filter((name) => !positionals.length || positionals.includes(name)) };
  } catch (error) {
    console.error(`${(error as Error).message}\n\n${USAGE}`);
    process.exit(2);
  }
}
