import { describe, expect, it } from '@jest/globals';
import { sbomOf } from '../build/sbom.ts';
import { judged } from './advisories.ts';

const app = { name: 'app', version: '1.0.0' };
const { components } = sbomOf(app, [{ name: 'fastify', version: '5.12.8' }]);
const about = (name: string, severity: string) => ({
  vulnerabilities: { [name]: { severity, via: [{ title: 'reads beyond the end' }] } },
});

describe('known weaknesses', () => {
  it.each(['high', 'critical'])('stop a release when they are %s and in the image', (severity) => {
    const found = [{ name: 'fastify', severity, title: 'reads beyond the end' }];
    expect(judged(about('fastify', severity), components)).toEqual({ asked: true, found });
  });

  it('of a package that only builds or tests are none of the image', () => {
    expect(judged(about('jest', 'critical'), components).found).toEqual([]);
  });

  it('of less weight are left to whoever updates', () => {
    expect(judged(about('fastify', 'moderate'), components).found).toEqual([]);
  });

  it('are not "none" when nobody answered', () => {
    const refused = { message: '405 Method Not Allowed' };
    expect(judged(refused, components)).toEqual({ asked: false, why: refused.message, found: [] });
  });
});
