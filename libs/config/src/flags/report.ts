import type { FlagValue } from '../feature.ts';
import type { EnvironmentProvider } from './environment.provider.ts';
import type { Evaluation } from './evaluations.ts';

export type FlagReport = {
  name: string;
  variable: string;
  meaning: string;
  /** What is in force; a percentage as it is set: `25%`. */
  value: FlagValue;
  isDefault: boolean;
  evaluations: Evaluation[];
};

/** What was asked for and is no flag: a slip in a name, or a flag that is gone. */
export type UnknownFlag = { name: string; evaluations: Evaluation[] };

/** All flags and how they have been answered since the start, as JSON for people: `/flags` on the port of metrics. */
export function flagsReport(provider: EnvironmentProvider): { flags: FlagReport[]; unknown: UnknownFlag[] } {
  const evaluationsOf = (name: string) => provider.evaluationsOf(name);
  return {
    flags: [...provider.features].map(([name, { variable, meaning, value, isDefault }]) => {
      return { name, variable, meaning, value, isDefault, evaluations: evaluationsOf(name) };
    }),
    unknown: provider.unknownFlags().map((name) => ({ name, evaluations: evaluationsOf(name) })),
  };
}
