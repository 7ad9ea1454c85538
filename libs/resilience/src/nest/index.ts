export { InjectPipeline, Resilient } from './decorators.ts';
export { ResilienceModule, type ResilienceModuleOptions } from './resilience.module.ts';
