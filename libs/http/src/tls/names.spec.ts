import { describe, expect, it } from '@jest/globals';
import { isAllowed, namesOf } from './names.ts';

describe('the names of a certificate', () => {
  it.each([
    ['DNS:orders', ['orders']],
    [
      'DNS:Orders.Shop, IP Address:127.0.0.1, URI:spiffe://Shop/orders',
      ['orders.shop', 'spiffe://Shop/orders'],
    ],
    ['email:a@b, DNS:*.shop', ['*.shop']],
    [undefined, []],
    ['', []],
    // One name that would like to be two, as Node quotes it (CVE-2021-44532), and as it would be unquoted.
    ['DNS:"evil, DNS:orders"', []],
    ['DNS:"evil\\", DNS:orders", DNS:web', ['web']],
    ['DNS:evil"x, DNS:orders', []],
    ['DNS:web;DNS', ['web;dns']],
  ])('of %j are %j', (text, names) => {
    expect(namesOf(text)).toEqual(names);
  });
});

describe('a client that has one of these names', () => {
  it.each([
    [['orders.shop'], ['Orders.Shop'], true],
    [['a', 'orders'], ['orders', 'web'], true],
    [['spiffe://shop/orders'], ['spiffe://shop/orders'], true],
    [['spiffe://shop/orders'], ['spiffe://Shop/orders'], false],
    [['*.shop'], ['orders.shop'], false],
    [['orders.shop'], ['orders'], false],
    [[], ['orders'], false],
  ])('%j is on the list %j: %j', (names, allowed, verdict) => {
    expect(isAllowed(names, allowed)).toBe(verdict);
  });
});
