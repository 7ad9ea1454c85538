import { describe, expect, it } from '@jest/globals';
import { spawnSync } from 'node:child_process';

// Real: the process, its exit code and its streams. That stderr is a terminal is claimed before anything is loaded.
const program = `
  import { configCommand, loadConfig, port, secret } from '${new URL('./index.ts', import.meta.url).href}';
  import { z } from 'zod';
  const schema = z.object({ PORT: port('where it listens', 3000), API_KEY: secret('a key') }).meta({ service: 'shop' });
  const [how, ...args] = process.argv.slice(1);
  if (how === 'config') configCommand(schema, args);
  else console.log(loadConfig(schema, process.env, how === 'quiet' ? { onWarning: () => {} } : {}).PORT);`;
const TERMINAL = ['--import', 'data:text/javascript,process.stderr.isTTY=true'];

function run(env: Record<string, string>, args: string[] = ['start'], flags: string[] = []) {
  const all = [...flags, '--conditions=@cairn/source', '--input-type=module', '-e', program, ...args];
  const { status, stdout, stderr } = spawnSync(process.execPath, all, {
    cwd: import.meta.dirname,
    env,
    encoding: 'utf8',
  });
  return { status, stdout, stderr };
}

const bad = { PORT: 'x', API_KEY: '' };
const good = { API_KEY: 'hunter2!', API_KEY_ID: 'unknown' };

describe('loadConfig', () => {
  it('writes one line of JSON to stdout and exits 78', () => {
    const { status, stdout, stderr } = run(bad);
    expect({ status, stderr }).toEqual({ status: 78, stderr: '' });
    expect(stdout).toMatch(/^\{.*\}\n$/);
    expect(JSON.parse(stdout)).toEqual({
      severity: 'fatal',
      time: expect.stringMatching(/^\d{4}-\d\d-\d\dT.*Z$/),
      'service.name': 'shop',
      event: 'config_invalid',
      msg: 'The environment has 2 problems.',
      problems: [
        expect.objectContaining({ variable: 'PORT', got: 'x' }),
        expect.objectContaining({ variable: 'API_KEY', source: 'not set' }),
      ],
      warnings: [],
    });
  }, 60_000);

  it('writes a table to stderr when that is a terminal', () => {
    const { status, stdout, stderr } = run(bad, ['start'], TERMINAL);
    expect({ status, stdout }).toEqual({ status: 78, stdout: '' });
    expect(stderr).toMatch(/^The environment has 2 problems:\n\n {2}variable .*\n {2}PORT .*\n {2}API_KEY /);
    expect(stderr).not.toMatch(/\n +at /);
  }, 60_000);

  it('starts in spite of a variable that nobody reads, and says so', () => {
    const { status, stdout, stderr } = run(good);
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
    const [warning, ...output] = stdout.trimEnd().split('\n');
    expect(output).toEqual(['3000']);
    expect(JSON.parse(warning!)).toMatchObject({
      severity: 'warn',
      'service.name': 'shop',
      event: 'config_unknown_variable',
      variable: 'API_KEY_ID',
    });
    const told = run(good, ['start'], TERMINAL);
    expect(told).toMatchObject({ stdout: '3000\n', stderr: 'API_KEY_ID is set, and nothing reads it.\n' });
    expect(run(good, ['quiet'])).toEqual({ status: 0, stdout: '3000\n', stderr: '' });
  }, 60_000);
});

describe('the command config', () => {
  it('has its result alone on stdout, so what is wrong is on stderr', () => {
    const { status, stdout, stderr } = run(bad, ['config']);
    expect({ status, stdout }).toEqual({ status: 78, stdout: '' });
    expect(JSON.parse(stderr)).toMatchObject({ event: 'config_invalid' });
  }, 60_000);

  it('prints what is in force and where it comes from', () => {
    const { stdout, stderr } = run(good, ['config', '--format', 'json']);
    expect(JSON.parse(stdout)).toEqual({
      PORT: { value: 3000, from: 'default' },
      API_KEY: { value: '********', from: 'environment' },
    });
    expect(JSON.parse(stderr)).toMatchObject({ event: 'config_unknown_variable' });
  }, 60_000);

  it('exits 2 for what it does not know', () => {
    for (const args of [['explain'], ['explain', 'A', 'B'], ['--format', 'xml'], ['--format'], ['help']])
      expect(run(good, ['config', ...args])).toMatchObject({ status: 2, stdout: '' });
    const { status, stderr } = run(good, ['config', 'explain', 'API_KY']);
    expect({ status, stderr }).toEqual({
      status: 2,
      stderr: 'There is no variable API_KY. Did you mean API_KEY?\n',
    });
  }, 60_000);
});
