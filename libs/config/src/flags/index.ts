export { EnvironmentProvider } from './environment.provider.ts';
export type { Evaluation } from './evaluations.ts';
export { flagsReport, type FlagReport, type UnknownFlag } from './report.ts';
export { isIn, placeOf } from './rollout.ts';
export { TestProvider } from './test.provider.ts';
export { featuresOf, type Feature, type FeatureKind, type FlagValue } from '../feature.ts';
