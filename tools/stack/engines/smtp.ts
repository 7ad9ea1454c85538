import { existsSync, mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { startChild } from '../child.ts';
import type { NativeEngine } from '../engine.ts';
import { dataDir, logFile, repoRoot } from '../paths.ts';
import { httpOk, smtpReady } from '../probes.ts';
import { StackError } from '../types.ts';

/** 165 → 120 MB: a catcher of test mail can spend a little longer on collecting garbage. */
const frugal = ['--max-old-space-size=96', '--max-semi-space-size=1', '--optimize-for-size'];
const home = join(repoRoot, 'node_modules', 'maildev');

export const smtp: NativeEngine = {
  name: 'smtp',
  ports: ['smtp', 'mailWeb'],
  missing: () => [],
  async install() {
    if (!existsSync(home)) throw new StackError('maildev is not in node_modules. Run: npm ci');
  },
  async version() {
    const { version } = JSON.parse(readFileSync(join(home, 'package.json'), 'utf8')) as { version: string };
    return `maildev ${version}`;
  },
  async start({ stack, ports, guard, signal }) {
    const mails = dataDir(stack, 'mail');
    mkdirSync(mails, { recursive: true });
    const listen = [
      '--ip',
      '127.0.0.1',
      '--smtp',
      String(ports.smtp),
      '--web-ip',
      '127.0.0.1',
      '--web',
      String(ports.mailWeb),
    ];
    return startChild({
      name: 'smtp',
      command: process.execPath,
      args: [
        ...frugal,
        join(home, 'dist/bin/maildev.js'),
        ...listen,
        '--mail-directory',
        mails,
        '--max-emails',
        '10000',
      ],
      log: logFile(stack, 'smtp'),
      guard,
      signal,
      ready: async () =>
        (await smtpReady(ports.smtp)) && httpOk(`http://127.0.0.1:${ports.mailWeb}/api/email`),
    });
  },
};
