import { spawn, spawnSync } from 'node:child_process';

/** `npm run lint`: types of everything (tests and tools too), rules and boundaries, formatting; all three to the end. */
const CHECKS: [string, ...string[]][] = [
  ['tsc', '--noEmit', '-p', 'tsconfig.check.json'],
  ['eslint', '.'],
  ['prettier', '--check', '--log-level=warn', '.'],
];

// The boundary rule reads nx's project graph and skips itself when there is none.
const graph = spawnSync('nx', ['show', 'projects'], { encoding: 'utf8' });
if (graph.status !== 0) throw new Error(`nx can't read the projects: ${graph.stdout}${graph.stderr}`);

const results = await Promise.all(
  CHECKS.map(([command, ...args]) => {
    const child = spawn(command, args, { stdio: 'inherit' });
    return new Promise<boolean>((resolve) => child.on('exit', (code) => resolve(code === 0)));
  }),
);
CHECKS.forEach(([command, ...args], i) =>
  console.log(`${results[i] ? '✓' : '✗'} ${command} ${args.join(' ')}`),
);
process.exitCode = results.every(Boolean) ? 0 : 1;
