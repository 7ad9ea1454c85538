export { block, Refusal, type Block, type Fallback } from './block.ts';
export {
  loadConfig,
  maskedConfig,
  parseConfig,
  secretsOf,
  type LoadOptions,
  type ParseOptions,
} from './config.ts';
export { configCommand } from './config.command.ts';
export { notAbove } from './not-above.ts';
export { guarded, withoutMistakes, type Policies } from './guarded.ts';
export { ConfigError, type Problem, type Warning } from './problem.ts';
export {
  renderConfigMap,
  renderEnv,
  renderMarkdown,
  renderReference,
  renderSecret,
  renderSsm,
} from './renderings.ts';
export { variablesOf, type Environment, type Schema, type Variable } from './schema.ts';
export { auto, bytes, duration } from './units.ts';
export { path } from './path.ts';
export { tls, withTls, type TlsJudge, type TlsMistake } from './tls.ts';
export { url } from './url.ts';
export { flag, integer, list, oneOf, port, secret, share, text } from './variables.ts';
export { everyProcess } from './every-process.ts';
export { feature, type Feature, type FlagValue } from './feature.ts';
