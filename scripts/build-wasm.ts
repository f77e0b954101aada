/**
 * Compiles the AssemblyScript of packages/quant/wasm and writes the bytes into TypeScript modules, so that kernels load
 * without reading a file, in the browser too. `node scripts/build-wasm.ts` after a change there; a test under test/house
 * compares.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import asc from 'assemblyscript/asc';

const quant = join(import.meta.dirname, '../packages/quant');

/** What is compiled, and the module that carries the bytes. */
export const MODULES = [
  { source: 'algebra.as.ts', target: join(quant, 'src/linalg/algebra-wasm.ts') },
  { source: 'trees.as.ts', target: join(quant, 'src/learn/trees/trees-wasm.ts') },
];

/** The module for one source, as it should stand in the repository. */
export async function renderModule(source: string): Promise<string> {
  const bytes = await compile(source);
  return [
    `// Made by scripts/build-wasm.ts from packages/quant/wasm/${source}: ${bytes.length} bytes of WebAssembly, base64.`,
    `export const WASM_BASE64 =\n  '${Buffer.from(bytes).toString('base64')}';`,
    '',
  ].join('\n');
}

async function compile(source: string): Promise<Uint8Array> {
  let bytes: Uint8Array | undefined;
  // Plain vectors only: relaxed ones may round differently from machine to machine.
  const flags = ['--outFile', 'out.wasm', '-O3', '--noAssert', '--runtime', 'stub', '--enable', 'simd'];
  const { error, stderr } = await asc.main([source, ...flags], {
    readFile: (name) => (name === source ? readFileSync(join(quant, 'wasm', source), 'utf8') : null),
    writeFile: (_name, contents) => {
      if (typeof contents !== 'string') bytes = contents;
    },
    listFiles: () => [],
  });
  if (error || !bytes) throw new Error(`${source} does not compile: ${stderr.toString()}`, { cause: error });
  return bytes;
}

if (import.meta.main) {
  for (const { source, target } of MODULES) writeFileSync(target, await renderModule(source));
}
