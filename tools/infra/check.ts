/** What a check found: one sentence with figures for the table, and every problem with file and what to do. */
export type Finding = { summary: string; problems: string[] };

/** A mutation of a copy of the repository's files after which the check has to report a problem that matches `expects`. */
export type Control = {
  /** What is done wrong, as a sentence for the table: "a variable is renamed in the ConfigMap". */
  does: string;
  /** The file that is changed, from the root. A file that does not exist is given to `change` as ''. */
  file: string;
  change: (text: string) => string;
  /** What a problem says that is not there without the mutation. */
  expects: RegExp;
};

/** Takes a line about something that lasts: a download, a build. */
export type Say = (line: string) => void;

export type Check = {
  name: string;
  /** One line for `--list`. */
  does: string;
  /** Runs only when it is named or its flag (`--<name>`) is given: it takes long. */
  optional?: true;
  /**
   * @param root the folder whose files are judged: the repository, or a copy of its files in which a control broke one
   * @throws Error when the check can't be made, such as for a program that is missing; says what to do
   */
  run: (root: string, progress: Say) => Promise<Finding>;
  controls: Control[];
};
