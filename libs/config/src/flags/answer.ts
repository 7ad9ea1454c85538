import { ErrorCode, StandardResolutionReasons as Reason } from '@openfeature/server-sdk';
import { percentOf, type Feature, type FeatureKind, type FlagValue } from '../feature.ts';
import { isIn } from './rollout.ts';

/** What OpenFeature may ask a flag for. */
export type Type = 'boolean' | 'string' | 'number' | 'object';

export type Answer =
  | { value: FlagValue; variant: string; reason: string }
  | { reason: typeof Reason.ERROR; errorCode: ErrorCode; errorMessage: string };

const TYPES: Record<FeatureKind, Type> = {
  switch: 'boolean',
  text: 'string',
  number: 'number',
  list: 'object',
  object: 'object',
};

/** What a flag is for the one who asks; `key` says who that is. */
export function answerOf(
  flag: string,
  feature: Feature | undefined,
  type: Type,
  key: string | undefined,
): Answer {
  if (!feature) return failure(ErrorCode.FLAG_NOT_FOUND, `there is no flag "${flag}"`);
  const { kind, value, isDefault } = feature;
  if (TYPES[kind] !== type) {
    return failure(ErrorCode.TYPE_MISMATCH, `flag "${flag}" is a ${kind}, and was asked for as a ${type}`);
  }
  const reason = isDefault ? Reason.DEFAULT : Reason.STATIC;
  if (kind !== 'switch') return { value, variant: variantOf(feature), reason };
  if (typeof value === 'boolean') return onOrOff(value, reason);

  const percent = percentOf(String(value)) ?? 0;
  // For all or for none: nobody needs to be told apart, and a switch that is off must be off for everybody.
  if (percent === 0 || percent === 100) return onOrOff(percent === 100, reason);
  if (!key) {
    const message = `flag "${flag}" is on for ${value}, which needs a targetingKey to tell who that is`;
    return failure(ErrorCode.TARGETING_KEY_MISSING, message);
  }
  return onOrOff(isIn(percent, flag, key), Reason.SPLIT);
}

function onOrOff(value: boolean, reason: string): Answer {
  return { value, variant: value ? 'on' : 'off', reason };
}

/** Texts and numbers speak for themselves; a structure is told by where it comes from. */
function variantOf({ value, isDefault }: Feature): string {
  if (typeof value !== 'object') return String(value);
  return isDefault ? 'default' : 'environment';
}

function failure(errorCode: ErrorCode, errorMessage: string): Answer {
  return { reason: Reason.ERROR, errorCode, errorMessage };
}
