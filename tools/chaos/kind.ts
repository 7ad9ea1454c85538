/** One kind of chaos that `npm run chaos` knows. */
export type Kind = {
  does: string;
  usage: string;
  /** Resolves with the exit code: 0 when nothing was violated. Reads its own arguments. */
  run: (args: string[]) => Promise<number>;
};

/** The command line is wrong: told without a stack trace, exit code 2. */
export class UsageError extends Error {
  override name = 'UsageError';
}

/** Says whether a run without a guard has shown what that guard prevents, and gives the exit code: 0 when it has. */
export function control(guard: string, noticed: boolean): number {
  console.log(
    noticed ? `✓ without ${guard}: that is what it prevents` : `✗ nothing was noticed without ${guard}`,
  );
  return noticed ? 0 : 1;
}
