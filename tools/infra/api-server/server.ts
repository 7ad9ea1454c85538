import { generateKeyPairSync, randomBytes } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { startChild, type Child } from '../../stack/child.ts';
import { createGuard } from '../../stack/guard.ts';
import { holdPorts } from '../../stack/ports.ts';
import { signalGroup } from '../../stack/processes.ts';
import type { Say } from '../check.ts';
import { told } from '../programs/cache.ts';
import { goTool } from '../programs/go.ts';
import { scratch } from '../scratch.ts';
import { restClient, type Request } from './rest.client.ts';

/** On two busy cores: one that nobody else uses needs 6 s. */
const READY_TIMEOUT_MS = 120_000;

let running: Promise<Request> | undefined;

/**
 * An API server with etcd, on loopback, for as long as this process lives: `--controls` asks it again and again. There are no
 * controllers and no nodes, and nothing runs.
 * @returns requests to it, with all rights
 * @throws Error when it can't be built or doesn't start
 */
export const apiServer = (progress: Say): Promise<Request> => (running ??= start(progress));

async function start(progress: Say): Promise<Request> {
  const etcd = await goTool('etcd', progress);
  const kubeApiserver = await goTool('kube-apiserver', progress);
  const folder = scratch('api-server');
  const children: Child[] = [];
  // Killed, and before their folder is removed: there is nothing to save.
  process.prependOnceListener('exit', () => {
    for (const { pid } of children) signalGroup(pid, 'SIGKILL');
  });
  return told(progress, 'starting etcd and kube-apiserver', async () => {
    const { ports, release } = await holdPorts(3);
    const [client = 0, peer = 0, secure = 0] = ports;
    await release();
    // Killed by the guard as well: asked to end, kube-apiserver waits for an etcd that is gone before it.
    const guard = createGuard();
    const log = (name: string) => join(folder, `${name}.log`);
    children.push(
      await startChild({
        name: 'etcd',
        command: etcd,
        args: etcdArguments(join(folder, 'etcd'), client, peer),
        log: log('etcd'),
        guard,
        stopSignal: 'SIGKILL',
        ready: async () =>
          (await fetch(`http://127.0.0.1:${client}/readyz`).catch(() => undefined))?.ok ?? false,
      }),
    );
    const token = randomBytes(24).toString('hex');
    const requests = () => restClient({ port: secure, token, ca: readFileSync(certificate(folder), 'utf8') });
    children.push(
      await startChild({
        name: 'kube-apiserver',
        command: kubeApiserver,
        args: serverArguments(folder, token, client, secure),
        log: log('kube-apiserver'),
        guard,
        stopSignal: 'SIGKILL',
        ready: () => isReady(requests),
        readyTimeoutMs: READY_TIMEOUT_MS,
      }),
    );
    return requests();
  });
}

const etcdArguments = (folder: string, client: number, peer: number) => [
  `--data-dir=${folder}`,
  `--listen-client-urls=http://127.0.0.1:${client}`,
  `--advertise-client-urls=http://127.0.0.1:${client}`,
  `--listen-peer-urls=http://127.0.0.1:${peer}`,
  `--initial-advertise-peer-urls=http://127.0.0.1:${peer}`,
  `--initial-cluster=default=http://127.0.0.1:${peer}`,
  '--unsafe-no-fsync', // nothing of it outlives the check
];

/** The certificate that it makes for itself when it is given none, with its own authority behind it. */
const certificate = (folder: string) => join(folder, 'certificates', 'apiserver.crt');

function serverArguments(folder: string, token: string, etcd: number, secure: number): string[] {
  const { privateKey } = generateKeyPairSync('rsa', {
    modulusLength: 2048,
    publicKeyEncoding: { type: 'spki', format: 'pem' },
    privateKeyEncoding: { type: 'pkcs1', format: 'pem' },
  });
  const key = join(folder, 'service-accounts.pem');
  const tokens = join(folder, 'tokens.csv');
  writeFileSync(key, privateKey, { mode: 0o600 });
  writeFileSync(tokens, `${token},verify,verify,system:masters\n`, { mode: 0o600 });
  return [
    `--etcd-servers=http://127.0.0.1:${etcd}`,
    '--bind-address=127.0.0.1',
    `--secure-port=${secure}`,
    `--cert-dir=${dirname(certificate(folder))}`,
    `--token-auth-file=${tokens}`,
    '--authorization-mode=RBAC',
    '--anonymous-auth=false',
    '--service-account-issuer=https://kubernetes.default.svc',
    `--service-account-key-file=${key}`,
    `--service-account-signing-key-file=${key}`,
    '--service-cluster-ip-range=10.96.0.0/16',
    // As clusters have it, for what their nodes need: it is the namespace that has to refuse such pods.
    '--allow-privileged',
  ];
}

async function isReady(requests: () => Request): Promise<boolean> {
  try {
    return (await requests()('GET', '/readyz')).status === 200;
  } catch {
    return false; // it has written no certificate yet, or doesn't listen
  }
}
