export { observe, type ObservedPipeline, type ObserveOptions } from './observe.ts';
