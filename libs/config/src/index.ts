export {
  ConfigError,
  loadConfig,
  maskedConfig,
  parseConfig,
  variablesOf,
  type Environment,
  type Problem,
  type Variable,
} from './config.ts';
export { guarded, withoutMistakes, type Policies } from './guarded.ts';
export { flag, integer, list, oneOf, port, secret, text, url } from './variables.ts';
