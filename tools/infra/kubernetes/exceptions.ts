import type { Exception } from './lint.ts';

/**
 * Where kube-score is not followed. One that nothing needs any more is reported as a problem. Its rules:
 * https://github.com/zegl/kube-score/blob/master/README_CHECKS.md
 */
export const EXCEPTIONS: Exception[] = [];
