import type { Child } from './child.ts';
import type { Guard } from './guard.ts';
import type { PortName, Ports } from './ports.ts';
import type { EngineName, KafkaListener, Report } from './types.ts';

/** What every piece of work gets: whom to tell, who ends it when we die, and when to give up. */
export type Work = { report: Report; guard: Guard; signal: AbortSignal };

/** What a native engine gets to start with. */
export type Context = Work & { stack: string; ports: Ports; kafkaListeners?: KafkaListener[] };

/** A program that has to be there, and the packages that bring it. */
export type Missing = { program: string; why: string; apt: string; brew: string };

export type NativeEngine = {
  name: EngineName;
  ports: PortName[];
  /** What must be installed by hand before `install` can work. */
  missing(): Missing[];
  /** Puts the engine's program in the cache; quick when it is there. */
  install(work: Work): Promise<void>;
  version(): Promise<string>;
  start(context: Context): Promise<Child>;
};
