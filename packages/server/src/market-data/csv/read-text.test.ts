import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { gzipSync } from 'node:zlib';
import fc from 'fast-check';
import { previewCsv } from './preview.ts';
import { openText, readLines, readSample } from './read-text.ts';
import { CsvRefusal, MAX_LINE_BYTES } from './refusal.ts';
import { refusalOf, sourceOf } from './test-source.ts';

const folder = await mkdtemp(join(tmpdir(), 'csv-read-'));
after(() => rm(folder, { recursive: true }));

async function textOf(source: Parameters<typeof openText>[0]) {
  const text = await openText(source);
  const parts: Uint8Array[] = [];
  for await (const chunk of text.chunks) parts.push(chunk);
  return { ...text, content: Buffer.concat(parts).toString() };
}

const TEXT = 'date,symbol,close\n2016-01-04,ÄÖ,1.5\n';

test('plain, gzip, byte order marks, UTF-16 and Latin-1 all give the same text', async () => {
  const utf16 = Buffer.from(`\ufeff${TEXT}`, 'utf16le');
  const variants: [Uint8Array, string][] = [
    [Buffer.from(TEXT), 'utf-8'],
    [gzipSync(TEXT), 'utf-8'],
    [Buffer.from(`\ufeff${TEXT}`), 'utf-8-bom'],
    [utf16, 'utf-16le'],
    [gzipSync(utf16), 'utf-16le'],
    [Buffer.from(utf16).swap16(), 'utf-16be'],
    [Buffer.from(TEXT, 'latin1'), 'latin-1'],
  ];
  for (const [bytes, encoding] of variants) {
    for (const chunkBytes of [1, 3, 1 << 16]) {
      const text = await textOf(sourceOf(bytes, 'x', chunkBytes));
      assert.equal(text.content, TEXT, encoding);
      assert.equal(text.encoding, encoding);
      assert.equal(text.bytesRead(), bytes.length);
      assert.equal(text.contentSha256(), createHash('sha256').update(bytes).digest('hex'));
    }
  }
});

test('gzip is known by its content, not by its name, and may have several members', async () => {
  const path = join(folder, 'plain.csv');
  await writeFile(path, Buffer.concat([gzipSync(TEXT), gzipSync('2016-01-05,B,2\n')]));
  const text = await textOf(path);
  assert.equal(text.content, `${TEXT}2016-01-05,B,2\n`);
  assert.equal(text.compressed, true);
});

test('lines that end in CR alone are lines', async () => {
  const sample = await readSample(sourceOf('a,b\r1,2\r3,4'));
  assert.deepEqual(sample.lines, ['a,b', '1,2', '3,4']);
});

test('what is not CSV text is refused with a sentence', async () => {
  const cases: [Uint8Array | string, string, RegExp][] = [
    ['', 'EMPTY_FILE', /^x is empty\.$/],
    ['\ufeff', 'EMPTY_FILE', /empty/],
    [gzipSync(''), 'EMPTY_FILE', /empty/],
    [Buffer.from('PK\x03\x04rest of it'), 'ARCHIVE', /zip archive or a spreadsheet \(\.xlsx\)\. Unpack it/],
    [gzipSync(gzipSync(TEXT)), 'ARCHIVE', /gzip inside gzip/],
    [Buffer.from('PAR1....'), 'BINARY', /Parquet/],
    [Buffer.from('a,b\n1,\x002\n'), 'BINARY', /not text/],
    [Buffer.from('a,b\n1,2\n', 'utf16le'), 'BINARY', /UTF-16 without a byte order mark/],
  ];
  for (const [content, code, sentence] of cases) {
    const refusal = await refusalOf(openText(sourceOf(content, 'x')));
    assert.equal(refusal.code, code, String(sentence));
    assert.match(refusal.sentence, sentence);
    assert.equal(refusal.file, 'x');
  }
  assert.equal((await refusalOf(openText(join(folder, 'absent.csv')))).code, 'FILE_NOT_READABLE');
  assert.equal((await refusalOf(openText(folder))).code, 'FILE_NOT_READABLE');
});

test('a gzip file that is cut off or damaged is refused wherever the damage is', async () => {
  const lines = Array.from({ length: 20_000 }, (_, i) => `2016-01-04,S${i},${i * 7919}.25\n`).join('');
  const whole = gzipSync(`date,symbol,close\n${lines}`);
  for (const keep of [12, 100, Math.floor(whole.length / 2), whole.length - 9, whole.length - 1])
    assert.equal((await refusalOf(textOf(sourceOf(whole.subarray(0, keep), 'x')))).code, 'TRUNCATED_GZIP', `${keep}`);
  const damaged = Buffer.from(whole);
  damaged.fill(0xff, 2000, 2100);
  assert.equal((await refusalOf(textOf(sourceOf(damaged, 'x')))).code, 'CORRUPT_GZIP');
});

test('an endless line is refused after its first bytes, plain and compressed', async () => {
  let pulled = 0;
  async function* endless() {
    for (;;) {
      pulled++;
      yield Buffer.alloc(1 << 16, 'a');
    }
  }
  const refusal = await refusalOf(openText({ name: 'x', chunks: endless() }));
  assert.equal(refusal.code, 'LINE_TOO_LONG');
  assert.equal(refusal.line, 1);
  assert.ok(pulled <= 4, `${pulled} chunks were read`);
  const packed = gzipSync(Buffer.alloc(64 << 20, 'a'));
  assert.equal((await refusalOf(openText(sourceOf(packed, 'x')))).code, 'LINE_TOO_LONG');
  const mebibyte = `date,close\n${'1'.repeat(1 << 20)}\n`;
  const later = await refusalOf(previewCsv(sourceOf(mebibyte)));
  assert.deepEqual([later.code, later.line], ['LINE_TOO_LONG', 2]);
});

test('random bytes are refused or read, but never crash', async () => {
  await fc.assert(
    fc.asyncProperty(fc.uint8Array({ maxLength: 300 }), async (bytes) => {
      await previewCsv(sourceOf(bytes)).catch((error) => assert.ok(error instanceof CsvRefusal, String(error)));
    }),
    { numRuns: 300 },
  );
});

test('lines keep their numbers over chunk borders, and the last needs no line feed', async () => {
  for (const chunkBytes of [1, 2, 5, 100]) {
    const lines: string[] = [];
    for await (const { line, text } of readLines(await openText(sourceOf('a\r\n\nbc\nd', 'x', chunkBytes))))
      lines.push(`${line}:${text}`);
    assert.deepEqual(lines, ['1:a', '2:', '3:bc', '4:d']);
  }
  const longest = `${'a'.repeat(MAX_LINE_BYTES)}\n1`;
  assert.equal((await readSample(sourceOf(longest))).lines.length, 2);
});
