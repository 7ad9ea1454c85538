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
