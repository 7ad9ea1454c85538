import type { Guard } from './guard.ts';
import type { Restartable } from './restartable.ts';

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

/**
 * A port of the broker of its own, where clients are told to come to `advertisedPort` instead: Kafka's clients follow the
 * addresses that it advertises, and would walk past a proxy that advertises nothing.
 */
export type KafkaListener = { name: string; port: number; advertisedPort: number };

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
  /** More doors to a native Kafka. Default: none. */
  kafkaListeners?: KafkaListener[];
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
  /**
   * Ends a native engine and starts it again, on the same port and with its data: `onEngineGone` is not told.
   * @throws StackError for an engine that this stack has not started itself
   */
  engine(name: EngineName): Restartable;
  /** Called once, for the first engine that ran and is gone without having been ended here. */
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
