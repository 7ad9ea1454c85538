export {
  ConfigError,
  loadConfig,
  maskedConfig,
  parseConfig,
  type Environment,
  type Problem,
} from './config.ts';
export { flag, integer, list, oneOf, port, secret, text, url } from './variables.ts';
