import { instrument } from '@cairn/boot/instrument';
import { schema } from './config.ts';

/** `node --import` loads this before anything else, so that drivers are patched before they are used. */
export const instrumented = await instrument('orders', schema);
