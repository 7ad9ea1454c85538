import { startApp, type LaunchOptions } from '../../local/apps.ts';
import type { Child } from '../../stack/child.ts';
import { freePorts } from '../../stack/ports.ts';
import type { Replica } from './balancer.ts';

/** How a replica is told to leave. */
export type Leaving = {
  signal: NodeJS.Signals;
  /** Its DRAIN_MS. */
  drainMs: number;
  /** Leaves by `process.exit` in the handler of the signal, as a program without a shutdown does. */
  bareExit?: boolean;
};

const LONGEST_EXIT_MS = 35_000;

// In front of whatever the app's own command line is; the app's listeners come later and never get their turn.
const BARE_EXIT = `--import=data:text/javascript,${encodeURIComponent(`process.on('SIGTERM', () => process.exit(0))`)}`;

/** One replica of orders: the same port and name over all its lives, a log for each of them. */
export class OrdersReplica implements Replica {
  readonly name: string;
  readonly port: number;
  readonly #launch: LaunchOptions;
  readonly #leaving: Leaving;
  #child: Child | undefined;
  #lives = 0;

  private constructor(name: string, port: number, launch: LaunchOptions, leaving: Leaving) {
    this.name = name;
    this.port = port;
    this.#launch = launch;
    this.#leaving = leaving;
  }

  static async of(names: string[], launch: LaunchOptions, leaving: Leaving): Promise<OrdersReplica[]> {
    const ports = await freePorts(names.length);
    return names.map((name, i) => new OrdersReplica(name, ports[i]!, launch, leaving));
  }

  /** Resolves when it is ready. */
  async start(): Promise<void> {
    const { drainMs, bareExit } = this.#leaving;
    const env = {
      ...this.#launch.env,
      DRAIN_MS: String(drainMs),
      ...(bareExit && { NODE_OPTIONS: BARE_EXIT }),
    };
    const life = `${this.name}-${String(++this.#lives).padStart(2, '0')}`;
    this.#child = await startApp('orders', { ...this.#launch, env, port: this.port, replica: life });
  }

  /** Signals it and says how it ended: "exit code 0". */
  async leave(): Promise<string> {
    const child = this.#child!;
    process.kill(child.pid, this.#leaving.signal);
    let timer: NodeJS.Timeout;
    const late = new Promise<string>((resolve) => {
      timer = setTimeout(
        resolve,
        LONGEST_EXIT_MS,
        `still there ${LONGEST_EXIT_MS / 1000} s after ${this.#leaving.signal}`,
      );
    });
    const how = await Promise.race([child.exited, late]).finally(() => clearTimeout(timer));
    await child.stop();
    return how;
  }

  async stop(): Promise<void> {
    await this.#child?.stop();
  }
}
