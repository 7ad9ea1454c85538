import { describe, expect, it } from '@jest/globals';
import { secret } from '@cairn/config';
import { z } from 'zod';
import { instrument } from './instrument.ts';

const schema = z.object({ API_KEY: secret('key of the gateway') });
const env = { API_KEY: 'k-9f8e7d6c5b4a' };

describe('what is there before anything else', () => {
  it('knows the secrets of the configuration, whatever text they turn up in', async () => {
    const { redactor } = await instrument('shop', schema, { env, command: 'config' });
    expect(redactor.text('401 for k-9f8e7d6c5b4a')).not.toContain('k-9f8e7d6c5b4a');
    const stranger = await instrument('shop', schema, { env: {}, command: 'config' });
    expect(stranger.redactor.text('401 for k-9f8e7d6c5b4a')).toContain('k-9f8e7d6c5b4a');
  });

  it('traces what serves, and no one-off command', async () => {
    const once = await instrument('shop', schema, { env, command: 'migrate' });
    expect(once.telemetry.enabled).toBe(false);
    const serving = await instrument('shop', schema, { env, command: 'serve' });
    expect(serving.telemetry.enabled).toBe(true);
    await serving.telemetry.shutdown();
  });

  it('starts with a bad environment, which main refuses with all its problems', async () => {
    await expect(instrument('shop', schema, { env: {}, command: 'migrate' })).resolves.toMatchObject({
      service: 'shop',
    });
  });
});
