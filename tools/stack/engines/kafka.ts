import { cpSync, existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { startChild } from '../child.ts';
import type { Context, NativeEngine, Work } from '../engine.ts';
import { cacheDir, dataDir, engineFile, logFile, stackDir } from '../paths.ts';
import { freePorts } from '../ports.ts';
import { kafkaReady } from '../probes.ts';
import { findProgram, runOrFail } from '../programs.ts';
import { step } from '../progress.ts';
import type { KafkaListener } from '../types.ts';

const pom = engineFile('kafka', 'pom.xml');
const version = () => /<kafka\.version>([^<]+)</.exec(readFileSync(pom, 'utf8'))?.[1] ?? 'unknown';
const home = () => join(cacheDir, `kafka-${version()}`);
const jars = () => join(home(), 'jars', '*');
/** Classes as the JVM lays them out in memory: start 4.3 → 1.9 s. Ignored by a JVM that did not write it. */
const archive = () => join(home(), 'broker.jsa');
/** A formatted, empty log folder: copying it costs nothing, the format tool a JVM start (1.5 s). */
const formatted = () => join(home(), 'formatted');

const clusterId = 'Y2Fpcm4tbG9jYWwtc3RhY2';

/** One CPU's worth of JVM: no parallel collector, no second compiler, a small heap. 150 MB instead of 400. */
const jvm = [
  '-Xms32m',
  '-Xmx256m',
  '-Xss512k',
  '-XX:+UseSerialGC',
  '-XX:TieredStopAtLevel=1',
  '-Xshare:auto',
  `-Dlog4j2.configurationFile=${engineFile('kafka', 'log4j2.yaml')}`,
];

function writeProperties(
  folder: string,
  logs: string,
  port: number,
  controllerPort: number,
  more: KafkaListener[] = [],
): string {
  const file = join(folder, 'kafka.properties');
  const doors = [{ name: 'PLAINTEXT', port, advertisedPort: port }, ...more];
  const at = (door: string, number: number) => `${door}://127.0.0.1:${number}`;
  const own = [
    `listeners=${[...doors.map((door) => at(door.name, door.port)), at('CONTROLLER', controllerPort)].join()}`,
    `advertised.listeners=${doors.map((door) => at(door.name, door.advertisedPort)).join()}`,
    `listener.security.protocol.map=${[...doors, { name: 'CONTROLLER' }].map(({ name }) => `${name}:PLAINTEXT`).join()}`,
    'inter.broker.listener.name=PLAINTEXT',
    `controller.quorum.voters=1@127.0.0.1:${controllerPort}`,
    `log.dirs=${logs}`,
  ];
  mkdirSync(folder, { recursive: true });
  writeFileSync(
    file,
    [readFileSync(engineFile('kafka', 'server.properties'), 'utf8'), ...own, ''].join('\n'),
  );
  return file;
}

/** Formats once, and lets a broker run once to write the class archive. All in `folder`, which becomes `home()`. */
async function prepare(folder: string, { guard, signal }: Work): Promise<void> {
  const classPath = join(home(), 'jars', '*');
  const [port = 0, controllerPort = 0] = await freePorts(2);
  const logs = join(folder, 'formatted');
  const properties = writeProperties(folder, logs, port, controllerPort);
  const format = ['kafka.tools.StorageTool', 'format', '-t', clusterId, '-c', properties];
  await runOrFail('java', [...jvm, '-cp', classPath, ...format], {
    log: join(folder, 'format.log'),
    guard,
    signal,
  });
  cpSync(logs, join(folder, 'trial'), { recursive: true });
  const trial = writeProperties(folder, join(folder, 'trial'), port, controllerPort);
  const draft = join(folder, 'broker.jsa');
  const child = await startChild({
    name: 'kafka, to write its class archive',
    command: 'java',
    args: [...jvm, `-XX:ArchiveClassesAtExit=${draft}`, '-cp', classPath, 'kafka.Kafka', trial],
    log: join(folder, 'trial.log'),
    guard,
    signal,
    ready: () => kafkaReady(port),
    readyTimeoutMs: 60_000,
    stopGraceMs: 60_000, // it writes the archive on its way out
  });
  await child.stop();
  if (existsSync(draft)) renameSync(draft, archive()); // a JVM that cannot write one starts slower, and well
  moveInto(logs, formatted());
}

async function install(work: Work): Promise<void> {
  if (!existsSync(join(home(), 'jars'))) {
    const draft = `${home()}.${process.pid}`;
    const log = `${home()}.log`;
    const args = [
      '-B',
      '-f',
      pom,
      'dependency:copy-dependencies',
      `-DoutputDirectory=${join(draft, 'jars')}`,
    ];
    const maven = () => runOrFail('mvn', args, { ...work, log });
    await step(work.report, 'kafka', `fetching Apache Kafka ${version()} by Maven`, maven);
    moveInto(draft, home());
  }
  if (!existsSync(formatted())) {
    const draft = join(home(), `prepare.${process.pid}`);
    const message = 'preparing: formatting, writing the class archive (once)';
    try {
      await step(work.report, 'kafka', message, () => prepare(draft, work));
    } finally {
      rmSync(draft, { recursive: true, force: true });
    }
  }
}

/** Two stacks may install at once: the first to finish wins, and both have a whole folder. */
function moveInto(draft: string, target: string): void {
  try {
    renameSync(draft, target);
  } catch (error) {
    if (!existsSync(target)) throw error;
    rmSync(draft, { recursive: true, force: true });
  }
}

async function start({ stack, ports, kafkaListeners = [], guard, signal }: Context) {
  const logs = dataDir(stack, 'kafka');
  if (!existsSync(logs)) {
    cpSync(formatted(), `${logs}.new`, { recursive: true, force: true });
    renameSync(`${logs}.new`, logs); // all or nothing, should we die now
  }
  const taken = [...Object.values(ports), ...kafkaListeners.map(({ port }) => port)];
  const [controllerPort = 0] = await freePorts(1, taken);
  const properties = writeProperties(stackDir(stack), logs, ports.kafka, controllerPort, kafkaListeners);
  const shared = existsSync(archive()) ? [`-XX:SharedArchiveFile=${archive()}`] : [];
  return startChild({
    name: 'kafka',
    command: 'java',
    args: [...jvm, ...shared, '-cp', jars(), 'kafka.Kafka', properties],
    log: logFile(stack, 'kafka'),
    guard,
    signal,
    ready: () => kafkaReady(ports.kafka),
    readyTimeoutMs: 60_000,
  });
}

export const kafka: NativeEngine = {
  name: 'kafka',
  ports: ['kafka'],
  missing() {
    const java = { program: 'java', why: 'Kafka', apt: 'openjdk-17-jre-headless', brew: 'openjdk@17' };
    const maven = { program: 'mvn', why: 'Kafka', apt: 'maven', brew: 'maven' };
    const needed = existsSync(join(home(), 'jars')) ? [java] : [java, maven];
    return needed.filter(({ program }) => !findProgram(program));
  },
  install,
  version: async () => version(),
  start,
};
