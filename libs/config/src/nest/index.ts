export { CONFIG, ConfigModule, MASKED_CONFIG } from './config.module.ts';
