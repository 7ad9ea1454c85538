import { execFileSync } from 'node:child_process';
import { statfsSync } from 'node:fs';
import { freemem } from 'node:os';
import { FIXED_PORTS } from './local/apps.ts';
import { budgetOf, sentenceOf } from './compose/budget.ts';
import { composeParts, limitsOf } from './compose/compose.reader.ts';
import { table } from './local/tables.ts';
import { repoRoot } from './stack/paths.ts';
import { fixedPorts, isFree, portOwner } from './stack/ports.ts';

/** `npm run doctor`: what this machine has of what Cairn needs, and what to do about the rest. */
type Finding = { what: string; ok: boolean; found: string; mend: string };

const findings: Finding[] = [
  { what: 'node', ok: nodeIsNew(), found: process.version, mend: 'npm ci (it brings the right one)' },
  program('java', ['-version'], 'Kafka without Docker', 'apt-get install openjdk-17-jre-headless'),
  program('mvn', ['-v'], "Kafka's jars without Docker", 'apt-get install maven'),
  program('go', ['version'], 'the S3 server without Docker, verify:infra', 'apt-get install golang-go'),
  program('python3', ['-m', 'pip', '--version'], 'verify:infra', 'apt-get install python3-pip'),
  program('redis-server', ['--version'], 'drafts without Docker', 'apt-get install redis-server'),
  program(
    'docker',
    ['info', '--format', '{{.ServerVersion}}'],
    'optional: docker compose up',
    'start a Docker engine',
  ),
  space(),
  memory(),
  ...(await ports()),
];
const rows = findings.map(({ what, ok, found, mend }) => [ok ? '✓' : '✗', what, found, ok ? '' : mend]);
console.log(table(rows));
console.log(`\ndocker compose may take of memory: ${sentenceOf(budgetOf(limitsOf(composeParts(repoRoot))))}`);

function nodeIsNew(): boolean {
  const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
  return major > 24 || (major === 24 && minor >= 11);
}

function program(name: string, args: string[], why: string, mend: string): Finding {
  try {
    // java prints its version on stderr, docker its complaints.
    const output = execFileSync(name, args, {
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'pipe'],
      timeout: 5000,
    });
    return { what: name, ok: true, found: output.split('\n')[0] || 'there', mend };
  } catch {
    return { what: name, ok: false, found: `missing: ${why}`, mend };
  }
}

function space(): Finding {
  const { bavail, bsize } = statfsSync('.');
  const gb = (bavail * bsize) / 1e9;
  return { what: 'disk', ok: gb > 5, found: `${gb.toFixed(1)} GB free`, mend: 'free 5 GB' };
}

function memory(): Finding {
  const gb = freemem() / 1e9;
  return { what: 'memory', ok: gb > 2, found: `${gb.toFixed(1)} GB free`, mend: 'free 2 GB' };
}

async function ports(): Promise<Finding[]> {
  const taken: Finding[] = [];
  for (const [name, port] of Object.entries({ ...fixedPorts, ...FIXED_PORTS })) {
    if (await isFree(port)) continue;
    const owner = portOwner(port);
    const found = `taken by ${owner ? `pid ${owner.pid} (${owner.command})` : 'another user'}`;
    taken.push({
      what: `port ${port} (${name})`,
      ok: false,
      found,
      mend: 'stop it, unless it is Cairn itself',
    });
  }
  return taken.length ? taken : [{ what: 'ports', ok: true, found: 'all free', mend: '' }];
}
