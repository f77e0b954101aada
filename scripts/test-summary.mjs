/** A test reporter that writes, as one JSON object, what a reader of a long log wants to know at the end. */

const SLOWEST_COUNT = 5;

/** @param {AsyncIterable<{ type: string, data: any }>} source */
export default async function* summarise(source) {
  const startedAt = Date.now();
  const counts = { passed: 0, failed: 0, skipped: 0 };
  const failed = [];
  const skipped = [];
  const tests = [];
  for await (const { type, data } of source) {
    if (type !== 'test:pass' && type !== 'test:fail') continue;
    // Suites are counted by their tests.
    if (data.details?.type === 'suite') continue;
    const title = `${data.name}${data.file ? ` (${shorten(data.file)})` : ''}`;
    if (data.skip !== undefined && data.skip !== false) {
      counts.skipped++;
      skipped.push(`${title}: ${data.skip === true ? 'no reason given' : data.skip}`);
    } else if (type === 'test:fail') {
      counts.failed++;
      failed.push(title);
    } else {
      counts.passed++;
      tests.push({ title, seconds: data.details.duration_ms / 1000 });
    }
  }
  const slowest = tests.sort((a, b) => b.seconds - a.seconds).slice(0, SLOWEST_COUNT);
  const lines = [
    ...list(
      'Slowest',
      slowest.map(({ title, seconds }) => `${seconds.toFixed(1)} s  ${title}`),
    ),
    ...list('Skipped', skipped),
    ...list('Failed', failed),
  ];
  const seconds = Math.round((Date.now() - startedAt) / 1000);
  yield JSON.stringify({ ...counts, lines: [...lines, `In ${seconds} s.`] });
}

/**
 * @param {string} heading
 * @param {string[]} lines
 */
function list(heading, lines) {
  return lines.length === 0 ? [] : [`${heading}:`, ...lines.map((line) => `  ${line}`)];
}

/** @param {string} file */
function shorten(file) {
  return file.startsWith(`${process.cwd()}/`) ? file.slice(process.cwd().length + 1) : file;
}
