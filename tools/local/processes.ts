import { Restartable } from '../stack/restartable.ts';
import { freePorts } from '../stack/ports.ts';
import { APPS, startApp, type AppName, type LaunchOptions } from './apps.ts';

/** An app, or a replica of one, on a port that stays the same over its lives. */
export class AppProcess extends Restartable {
  readonly app: AppName;
  readonly port: number;

  /** `name` is that of the app, or with a number for a replica: `orders-2`. `env` is asked at every start. */
  constructor(name: string, port: number, launch: LaunchOptions, env: () => Record<string, string>) {
    const app = appOf(name);
    let lives = 0;
    super(name, () =>
      startApp(app, {
        ...launch,
        port,
        // A log for each life: what led to the end of one is read afterwards.
        log: `${name}.${++lives}`,
        env: { ...launch.env, ...(name !== app && { METRICS_PORT: '0' }), ...env() },
      }),
    );
    this.app = app;
    this.port = port;
  }

  get url(): string {
    return `http://127.0.0.1:${this.port}`;
  }
}

/** `orders-2` → `orders`. @throws {RangeError} for what is neither an app nor a replica of one */
export function appOf(name: string): AppName {
  const app = APPS.find((one) => new RegExp(`^${one}(-\\d+)?$`).test(name));
  if (!app) throw new RangeError(`"${name}" is none of ${APPS.join(', ')}, nor such a name with a number`);
  return app;
}

/** The first of an app gets the app's own port, replicas a free one. */
export async function appProcesses(
  names: readonly string[],
  launch: LaunchOptions,
  env: (name: string) => Record<string, string>,
): Promise<Record<string, AppProcess>> {
  const free = await freePorts(names.length, Object.values(launch.ports));
  return Object.fromEntries(
    names.map((name, i) => {
      const port = name === appOf(name) ? launch.ports[appOf(name)] : free[i]!;
      return [name, new AppProcess(name, port, launch, () => env(name))];
    }),
  );
}
