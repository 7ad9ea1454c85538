import { spawn } from 'node:child_process';
import { StackError } from '../stack/types.ts';

/** Runs a program to its end; its output is shown only when it fails. */
export async function run(
  command: string,
  args: string[],
  env: NodeJS.ProcessEnv = process.env,
): Promise<void> {
  const child = spawn(command, args, { env, stdio: ['ignore', 'pipe', 'pipe'] });
  let output = '';
  child.stdout.on('data', (chunk: Buffer) => (output += chunk));
  child.stderr.on('data', (chunk: Buffer) => (output += chunk));
  const code = await new Promise((resolve) => child.once('error', resolve).once('exit', resolve));
  if (code !== 0) throw new StackError(`${command} ${args.join(' ')} failed (${String(code)}):\n${output}`);
}
