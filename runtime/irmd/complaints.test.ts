import { expect, test } from 'vitest';
import { Complaints } from './complaints.ts';

function setup(): { readonly complaints: Complaints<string>; readonly told: string[] } {
  const told: string[] = [];
  return { complaints: new Complaints<string>((who, text) => told.push(`${who}: ${text}`)), told };
}

test('those before the one that knows the name are heard, those behind it are not', () => {
  const { complaints, told } = setup();
  complaints.heard(2, 'udp6', 'no');
  complaints.heard(0, 'udp', 'no');
  expect(told).toEqual([]);
  complaints.reached(1);
  expect(told).toEqual(['udp: no']);
});

test('one that complains late is heard then, once', () => {
  const { complaints, told } = setup();
  complaints.reached(1);
  expect(told).toEqual([]);
  complaints.heard(0, 'udp', 'no');
  complaints.heard(2, 'udp6', 'no');
  complaints.reached(0);
  expect(told).toEqual(['udp: no']);
});

test('where nobody knows it, or the one that does cannot serve, the turn goes on', () => {
  const { complaints, told } = setup();
  for (const place of [1, 3, 0]) complaints.heard(place, String(place), 'no');
  complaints.reached(2);
  complaints.reached(Number.POSITIVE_INFINITY);
  expect(told).toEqual(['0: no', '1: no', '3: no']);
});
