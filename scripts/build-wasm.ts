/**
 * Compiles the AssemblyScript of packages/quant/wasm and writes the bytes into TypeScript modules, so that kernels load
 * without reading a file, in the browser too. `node scripts/build-wasm.ts` after a change there; a test under test/house
 * compares.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import asc from 'assemblyscript/asc';

const quant = join(import.meta.dirname, '../packages/quant');

type BuiltModule = {
  source: string;
  target: string;
  /** What the name `Real` stands for in the source, where it stands there. */
  real?: 'f32' | 'f64';
};

/** What is compiled, and the module that carries the bytes. */
export const MODULES: readonly BuiltModule[] = [
  { source: 'algebra.as.ts', target: join(quant, 'src/linalg/algebra-wasm.ts') },
  { source: 'trees.as.ts', target: join(quant, 'src/learn/trees/trees-wasm.ts') },
  { source: 'neural.as.ts', target: join(quant, 'src/learn/neural/neural-wasm.ts'), real: 'f32' },
  { source: 'neural.as.ts', target: join(quant, 'src/learn/neural/neural-wasm-double.ts'), real: 'f64' },
];

/** The module for one source, as it should stand in the repository. */
export async function renderModule({ source, real }: BuiltModule): Promise<string> {
  const bytes = await compile(source, real);
  const origin = `packages/quant/wasm/${source}${real ? ` with ${real}` : ''}`;
  return [
    `// Made by scripts/build-wasm.ts from ${origin}: ${bytes.length} bytes of WebAssembly, base64.`,
    `export const WASM_BASE64 =\n  '${Buffer.from(bytes).toString('base64')}';`,
    '',
  ].join('\n');
}

async function compile(source: string, real?: string): Promise<Uint8Array> {
  let bytes: Uint8Array | undefined;
  // Plain vectors only: relaxed ones may round differently from machine to machine.
  const flags = ['--outFile', 'out.wasm', '-O3', '--noAssert', '--runtime', 'stub', '--enable', 'simd'];
  if (real) flags.push('--use', `Real=${real}`);
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
  for (const module of MODULES) writeFileSync(module.target, await renderModule(module));
}
