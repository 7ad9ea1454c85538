export { HealthModule } from './health.module.ts';
export { indicator } from './indicator.ts';
export { PUBLIC } from './public.ts';
