import { hostAndPort, masked, urlVariables } from './decide.ts';
import { tcpAnswers } from './probes.ts';
import { StackError, type Engine, type EngineName } from './types.ts';

/** Engines of somebody else, each of which must answer; all that do not are named at once. */
export async function attach(names: EngineName[], env: NodeJS.ProcessEnv): Promise<Engine[]> {
  const checks = names.map(async (name) => {
    const variable = urlVariables[name];
    const url = env[variable] ?? '';
    const problem = await unreachable(name, url);
    const advice = `correct it, or unset ${variable} to let the stack run its own`;
    return { name, url, problem: problem && `${variable}=${masked(url)} ${problem}: ${advice}.` };
  });
  const results = await Promise.all(checks);
  const problems = results.flatMap(({ problem }) => problem ?? []);
  if (names.includes('s3')) problems.push(...missingS3Keys(env));
  if (problems.length > 0) throw new StackError(problems.join('\n'));
  return results.map(({ name, url }) => ({ name, url, version: 'not ours to know', how: 'attached' }));
}

async function unreachable(name: EngineName, url: string): Promise<string | undefined> {
  try {
    const { host, port } = hostAndPort(name, url);
    return (await tcpAnswers(host, port)) ? undefined : `is set, but nothing answers at ${host}:${port}`;
  } catch {
    return 'is not a URL';
  }
}

const missingS3Keys = (env: NodeJS.ProcessEnv) =>
  ['S3_ACCESS_KEY_ID', 'S3_SECRET_ACCESS_KEY']
    .filter((key) => !env[key])
    .map((key) => `S3_ENDPOINT is set, and ${key} is not: set it too.`);
