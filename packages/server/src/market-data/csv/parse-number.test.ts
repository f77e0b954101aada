import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { parseDecimal, parseNumberText, parseVolumeText } from './parse-number.ts';

const parse = (text: string) => {
  const padded = Buffer.from(`,${text},`);
  return parseDecimal(new Uint8Array(padded), 1, padded.length - 1);
};

test('a decimal number is the same double that Number gives, to the last bit', () => {
  const decimal = fc
    .tuple(
      fc.constantFrom('', '-', '+'),
      fc.stringMatching(/^\d{1,20}$/),
      fc.option(fc.stringMatching(/^\d{0,25}$/), { nil: undefined }),
      fc.constantFrom('', 'e5', 'E-7', 'e+300', 'e-320', 'e-3'),
    )
    .map(
      ([sign, whole, fraction, exponent]) => sign + whole + (fraction === undefined ? '' : `.${fraction}`) + exponent,
    );
  fc.assert(
    fc.property(decimal, (text) => Object.is(parse(text), Number(text))),
    { numRuns: 3000 },
  );
  fc.assert(
    fc.property(fc.double({ noNaN: true, noDefaultInfinity: true }), (x) =>
      Object.is(parse(String(x)), Number(String(x))),
    ),
  );
  fc.assert(fc.property(fc.integer({ min: 0, max: 1e9 }), (n) => Object.is(parse((n / 1e4).toFixed(4)), n / 1e4)));
  for (const text of ['9007199254740993', '0.1', '.5', '5.', '-0', '1e22', '123456789012345.678', '1e23'])
    assert.ok(Object.is(parse(text), Number(text)), text);
});

test('what is no plain decimal number is NaN and never another number', () => {
  for (const text of [
    '',
    '-',
    '+',
    '.',
    '1.2.3',
    '1,5',
    '0x10',
    'Infinity',
    'NaN',
    '1e',
    '1e+',
    '12a',
    '--1',
    ' 1',
    '1 2',
  ])
    assert.ok(Number.isNaN(parse(text)), text);
});

test('numbers with groups, decimal commas and currency signs are read by their style', () => {
  const point = { decimal: '.', thousands: ',' } as const;
  const comma = { decimal: ',', thousands: '.' } as const;
  assert.equal(parseNumberText('1,234,567.5', point), 1234567.5);
  assert.equal(parseNumberText('$1,234.50', point), 1234.5);
  assert.equal(parseNumberText('-€ 3.5', point), -3.5);
  assert.equal(parseNumberText('1.234.567,5', comma), 1234567.5);
  assert.equal(parseNumberText('1 234 567,5', { decimal: ',', thousands: ' ' }), 1234567.5);
  assert.equal(parseNumberText('1\u202f234,5', { decimal: ',', thousands: ' ' }), 1234.5);
  assert.equal(parseNumberText("1'234.5", { decimal: '.', thousands: "'" }), 1234.5);
  assert.equal(parseNumberText('1,23', point), undefined);
  assert.equal(parseNumberText('1,2345', point), undefined);
  assert.equal(parseNumberText('1234,567', point), undefined);
  assert.equal(parseNumberText('1.5', { decimal: ',', thousands: ' ' }), undefined);
  assert.equal(parseVolumeText('1.1M', point), 1_100_000);
  assert.equal(parseVolumeText('2,5K', comma), 2500);
  assert.equal(parseVolumeText('12', point), 12);
});

test('the words for a missing value mean null, other words no number', () => {
  for (const text of ['', ' ', 'NA', 'N/A', 'null', '-', 'NaN', 'none', '#N/A', '.'])
    assert.equal(parseNumberText(text, { decimal: '.', thousands: ',' }), null, text);
  for (const text of ['abc', 'halted', '1-2', 'nope'])
    assert.equal(parseNumberText(text, { decimal: '.', thousands: ',' }), undefined, text);
});
