import type { Facts } from './build.ts';

/** What was seen of a container, from inside and outside. */
export type Seen = {
  /** `/proc/1/status` of the container. */
  status: string;
  /** `/proc/1/cmdline`, its parts apart by blanks. */
  command: string;
  /** What writing into the root says. */
  writing: { code: number; err: string };
  /** Files of ours that its user could change if the root were not read-only. */
  writable: string[];
  /** Until its own HEALTHCHECK said healthy, in seconds. Absent: never; `log` says why. */
  healthyAfterS?: number;
  log: string;
  /** The exit code of its health check when it is sent to a port where nobody listens. */
  elsewhere: number;
  exit: { code: number; seconds: number };
};

export const LIMITS = { ownBytes: 60e6, exitSeconds: 2 };
const LABELS = ['title', 'version', 'revision', 'created', 'licenses'];

/** What is not as an image has to be, in a sentence each. */
export function imageViolations({ ownBytes, labels, user, healthcheck }: Facts): string[] {
  return [
    ...wrong(ownBytes > LIMITS.ownBytes, `${mb(ownBytes)} over the base, more than ${mb(LIMITS.ownBytes)}`),
    ...wrong(!/^[1-9]\d*(:|$)/.test(user), `its user is "${user}", and must be a number above 0`),
    ...wrong(healthcheck.length === 0, 'it has no HEALTHCHECK'),
    ...LABELS.filter((name) => !labels[`org.opencontainers.image.${name}`]).map(
      (name) => `the label ${name} is missing`,
    ),
  ];
}

/** What is not as a container has to be, in a sentence each. */
export function containerViolations(seen: Seen): string[] {
  if (seen.healthyAfterS === undefined) return [`its HEALTHCHECK never succeeded:\n${seen.log}`];
  const { uid, capabilities, noNewPrivileges } = privilegesOf(seen.status);
  const { code, seconds } = seen.exit;
  return [
    ...wrong(uid === 0, 'it runs as root'),
    ...wrong(capabilities !== 0n, `it has capabilities: ${capabilities.toString(16)}`),
    ...wrong(!noNewPrivileges, 'it may gain privileges'),
    ...wrong(!/^(\/\S*\/)?node /.test(seen.command), `its first process is "${seen.command}", not node`),
    ...wrong(
      seen.writing.code === 0 || !/read-only file system/i.test(seen.writing.err),
      'its root can be written to',
    ),
    ...seen.writable.map((file) => `its user may change ${file}`),
    ...wrong(seen.elsewhere === 0, 'its HEALTHCHECK succeeds where nobody listens'),
    ...wrong(code !== 0, `SIGTERM ended it with ${code}, not 0`),
    ...wrong(
      seconds > LIMITS.exitSeconds,
      `SIGTERM took ${seconds.toFixed(1)} s, more than ${LIMITS.exitSeconds}`,
    ),
  ];
}

export type Privileges = { uid: number; capabilities: bigint; noNewPrivileges: boolean };

/** From `/proc/<pid>/status`: the effective user, and all capabilities that it has or could get. */
export function privilegesOf(status: string): Privileges {
  const field = (name: string) => new RegExp(`^${name}:\\s*(.+)$`, 'm').exec(status)?.[1] ?? '';
  const sets = ['CapInh', 'CapPrm', 'CapEff', 'CapBnd', 'CapAmb'].map((name) =>
    BigInt(`0x${field(name) || 'f'}`),
  );
  return {
    uid: Number(field('Uid').split(/\s+/)[1] || 0),
    capabilities: sets.reduce((all, set) => all | set, 0n),
    noNewPrivileges: field('NoNewPrivs') === '1',
  };
}

export const mb = (bytes: number) => `${(bytes / 1e6).toFixed(1)} MB`;
const wrong = (is: boolean, sentence: string) => (is ? [sentence] : []);
