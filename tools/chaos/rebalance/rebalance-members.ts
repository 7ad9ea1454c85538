import { spawn, type ChildProcess } from 'node:child_process';
import { createWriteStream } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { Guard } from '../../stack/guard.ts';
import type { MemberOptions, Said } from './rebalance-member.ts';

export type Member = {
  name: string;
  child: ChildProcess;
  exited: Promise<string>;
  /** The life has been ended on purpose in this way; any other end is a violation. */
  expects?: string;
};

/** Consumers as processes of their own. */
export class Members {
  readonly said: Record<Said['event'], number> = {
    started: 0,
    held: 0,
    inverted: 0,
    old: 0,
    failed: 0,
  };
  /** Lives that ended otherwise than they should have. */
  readonly accidents: string[] = [];
  readonly #live = new Set<Member>();
  readonly #listeners = new Set<(member: Member, said: Said) => void>();
  readonly #options: MemberOptions;
  readonly #guard: Guard;
  readonly #folder: string;
  #count = 0;

  constructor(options: MemberOptions, { guard, folder }: { guard: Guard; folder: string }) {
    this.#options = options;
    this.#guard = guard;
    this.#folder = folder;
  }

  /** Those that run, the oldest first. */
  get live(): Member[] {
    return [...this.#live];
  }

  start(): Member {
    const name = `member-${++this.#count}`;
    const script = join(import.meta.dirname, 'rebalance-member.ts');
    const args = [
      '--disable-warning=ExperimentalWarning',
      '--conditions=@cairn/source',
      script,
      JSON.stringify(this.#options),
    ];
    const child = spawn(process.execPath, args, { detached: true, stdio: ['ignore', 'pipe', 'pipe'] });
    this.#guard.adopt(child.pid!, { name });
    const exited = new Promise<string>((resolve) => {
      child.once('exit', (code, signal) => resolve(signal ?? `exit code ${code}`));
    });
    const member: Member = { name, child, exited };
    this.#live.add(member);
    void exited.then((how) => this.#ended(member, how));
    this.#listen(member);
    return member;
  }

  /** Sends a signal; `expects` is how the member's life is to end by it. */
  signal(member: Member, signal: NodeJS.Signals, expects?: string): void {
    if (expects) member.expects = expects;
    member.child.kill(signal);
  }

  /** Resolves with who said it first, from now on. */
  when(event: Said['event'], what: string): Promise<Member> {
    return new Promise((resolve) => {
      const listener = (member: Member, said: Said) => {
        if (said.event !== event || said.what !== what) return;
        this.#listeners.delete(listener);
        resolve(member);
      };
      this.#listeners.add(listener);
    });
  }

  async stop(): Promise<void> {
    const members = this.live;
    for (const member of members) {
      this.signal(member, 'SIGCONT');
      this.signal(member, 'SIGTERM', 'exit code 0');
    }
    await Promise.all(members.map(({ exited }) => exited));
  }

  #ended(member: Member, how: string): void {
    this.#live.delete(member);
    this.#guard.release(member.child.pid!);
    if (how !== member.expects) this.accidents.push(`${member.name} ended with ${how}`);
  }

  #listen(member: Member): void {
    const log = createWriteStream(join(this.#folder, `${member.name}.log`));
    // What it says last on one of the two may come after the end of the other.
    member.child.stderr!.pipe(log, { end: false });
    member.child.once('close', () => log.end());
    createInterface({ input: member.child.stdout! }).on('line', (line) => {
      log.write(`${new Date().toISOString()} ${line}\n`);
      if (!line.startsWith('{')) return;
      const said = JSON.parse(line) as Said;
      this.said[said.event]++;
      for (const listener of this.#listeners) listener(member, said);
    });
  }
}
