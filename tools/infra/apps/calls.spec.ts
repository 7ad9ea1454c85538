import { describe, expect, it } from '@jest/globals';
import type { App } from './app.ts';
import { callsOf } from './calls.ts';

const apps = [{ name: 'orders' }, { name: 'payments' }] as App[];

describe('a value', () => {
  it.each([
    ['http://payments:3002', 3002],
    ['http://payments', 80],
    ['https://payments.cairn.svc/x', 443],
  ])('like %s calls payments on port %i', (url, port) => {
    expect(callsOf(url, apps).map((call) => [call.app.name, call.port])).toEqual([['payments', port]]);
  });

  it('with another host calls no app', () => {
    expect(callsOf('http://payments-gateway:3002,kafka:9092', apps)).toEqual([]);
  });
});
