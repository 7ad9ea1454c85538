import { StartError } from './run-service.ts';

/** What a process can be started as: one image, several commands (factors 8 and 12). */
export type Commands = Record<string, { does: string; run: (args: string[]) => Promise<unknown> }>;

const EXIT_USAGE = 2;

/**
 * Runs the command that `argv` names and exits: with the number that it resolves with, else 0 when it is done, 1 when it
 * failed, 2 when there is no such command. Services run until a signal ends them (see `runService`), and why one did not start is said without a stack.
 */
export async function runCommand(
  app: string,
  commands: Commands,
  argv = process.argv.slice(2),
): Promise<never> {
  const [name = '', ...args] = argv;
  const command = Object.hasOwn(commands, name) ? commands[name] : undefined;
  if (!command) {
    process.stderr.write(usage(app, commands, name));
    process.exit(EXIT_USAGE);
  }
  try {
    const code = await command.run(args);
    process.exit(typeof code === 'number' ? code : 0);
  } catch (error) {
    process.stderr.write(`${app} ${name} failed: ${told(error)}\n`);
    process.exit(1);
  }
}

function told(error: unknown): string | undefined {
  if (error instanceof StartError) return error.message;
  return error instanceof Error ? error.stack : String(error);
}

/** The text shown for an unknown command. */
export function usage(app: string, commands: Commands, name: string): string {
  const width = Math.max(...Object.keys(commands).map((key) => key.length));
  const lines = Object.entries(commands).map(([key, { does }]) => `  ${key.padEnd(width)}  ${does}`);
  return `${name ? `${app}: no command "${name}"` : `${app}: say what to run`}. There are:\n${lines.join('\n')}\n`;
}
