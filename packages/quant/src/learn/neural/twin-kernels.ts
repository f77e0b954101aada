import type { Kernels } from './kernels.ts';
import { WASM_BASE64 } from './neural-wasm.ts';
import { createPlainKernels } from './plain-kernels.ts';

/** What is used here of WebAssembly, which every browser and server names the same. */
declare const WebAssembly: {
  Module: new (bytes: Uint8Array) => object;
  Instance: new (module: object, imports: Record<string, Record<string, () => void>>) => { exports: Exports };
};

type Exports = Omit<Kernels, 'memory'> & {
  memory: { buffer: ArrayBuffer; grow: (pages: number) => number };
};

const PAGE = 65_536;
/** Where the numbers begin in the memory of the module; constants lie before. */
const FIRST = 2048;

let compiled: object | null | undefined;

/** Kernels in float32, the fastest there are. Both sorts give the same bits, so the choice never shows in a result. */
export function createKernels(count: number): Kernels {
  return createTwinKernels(count) ?? createPlainKernels(count, 'float32');
}

/** The kernels in WebAssembly; null where there is none with vectors, or no room for so many numbers. */
export function createTwinKernels(count: number): Kernels | null {
  try {
    compiled ??= compileTwin(WASM_BASE64);
    return bindTwin(compiled, count, Float32Array);
  } catch {
    return null;
  }
}

export function compileTwin(base64: string): object {
  return new WebAssembly.Module(Uint8Array.from(atob(base64), (letter) => letter.charCodeAt(0)));
}

/**
 * An instance with room for so many numbers, of the type the module was compiled with.
 *
 * @throws RangeError or the engine's own error where there is no such room.
 */
export function bindTwin(
  module: object,
  count: number,
  RealArray: Float32ArrayConstructor | Float64ArrayConstructor,
): Kernels {
  const { memory, ...kernels } = new WebAssembly.Instance(module, { env: { abort: () => {} } }).exports;
  const missing = FIRST + count * RealArray.BYTES_PER_ELEMENT - memory.buffer.byteLength;
  if (missing > 0) memory.grow(Math.ceil(missing / PAGE));
  return { memory: new RealArray(memory.buffer, FIRST, count), ...kernels };
}
