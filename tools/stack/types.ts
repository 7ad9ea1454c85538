import type { Guard } from './guard.ts';

export type EngineName = 'postgres' | 'redis' | 'kafka' | 's3' | 'smtp';
export type How = 'attached' | 'compose' | 'native';

export type Engine = {
  name: EngineName;
  version: string;
  how: How;
  url: string;
  pid?: number;
  log?: string;
};

/** One thing that happens: `running` when it starts and while it goes on, `done` or `failed` at its end. */
export type Progress = {
  step: string;
  state: 'running' | 'done' | 'failed' | 'info';
  message: string;
  elapsedMs: number;
};

export type Report = (progress: Progress) => void;

export type StackOptions = {
  /** Names the folder `.stack/<name>/`; two stacks of different names run side by side. */
  name: string;
  /** `fixed`: the documented ports, by compose where possible. `free`: any ports, always native. */
  ports: 'fixed' | 'free';
  /** Where URLs of attached engines are looked up. Default: `process.env`. */
  env?: NodeJS.ProcessEnv;
  report?: Report;
  /** Wipe the stack's data first. Default: false. */
  fresh?: boolean;
  /** Calls the start off (Ctrl-C while things install): what was begun is ended, and `startStack` rejects. */
  signal?: AbortSignal;
};

export type EngineGone = (engine: Engine, reason: string) => void;
export type Memory = { name: string; rssBytes: number };

export type Stack = {
  engines: Engine[];
  /** POSTGRES_URL, REDIS_URL, KAFKA_BROKERS, S3_*, SMTP_URL, MAIL_WEB_URL. */
  env: Record<string, string>;
  /** Kills what it adopted when this process dies in any way; lend it to the processes you start yourself. */
  guard: Guard;
  /** Called once, for the first engine that ran and is gone. */
  onEngineGone(listener: EngineGone): void;
  /** Memory of the process trees of native engines. */
  memory(): Promise<Memory[]>;
  /** Idempotent; SIGTERM, then SIGKILL; returns within about 12 s. */
  stop(): Promise<void>;
};

/** A failure that the person at the terminal can act upon: printed without a stack trace. */
export class StackError extends Error {
  override name = 'StackError';
}
