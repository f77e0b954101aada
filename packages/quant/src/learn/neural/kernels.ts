/** Numbers of a network: float32 in use, float64 where gradients are checked. */
export type Precision = 'float32' | 'float64';
export type RealArray = Float32Array | Float64Array;

/**
 * The work that takes the time of a network, on one memory. Arguments that name a place are indices into `memory`; matrices
 * are row-major, a stride is the distance of two rows; what is written never overlaps what is read, unless said. Every step
 * is rounded to the precision of the memory, and sums keep the order said here, so that the plain kernels and those in
 * WebAssembly give the same bits. Checks nothing; a NaN goes on into what depends on it.
 */
export type Kernels = {
  memory: RealArray;
  /**
   * C = A B, or C += A B with `keep` 1. A(i, k) lies at a + i · strideRow + k · strideInner, so a transposed A is read in
   * place. Each entry starts at zero (or C) and adds its products in the order of k.
   */
  multiply(
    rows: number,
    columns: number,
    inner: number,
    a: number,
    strideRow: number,
    strideInner: number,
    b: number,
    strideB: number,
    c: number,
    strideC: number,
    keep: 0 | 1,
  ): void;
  /** B = Aᵀ, A being rows × columns. */
  transpose(rows: number, columns: number, a: number, strideA: number, b: number, strideB: number): void;
  /** x += y. */
  addEach(count: number, x: number, y: number): void;
  /** x *= y. */
  scaleEach(count: number, x: number, y: number): void;
  /** Adds one row to every row of x. */
  addRow(rows: number, columns: number, x: number, row: number): void;
  /** sum += every row of x. */
  sumRows(rows: number, columns: number, x: number, sum: number): void;
  /**
   * One step of an LSTM. z (rows × 4 hidden) holds the products and becomes the gates: input, forget, candidate, output.
   * cell = forget · cellBefore + input · candidate; squashed = tanh(cell); output = gate · squashed.
   */
  gatesForward(
    rows: number,
    hidden: number,
    z: number,
    bias: number,
    cellBefore: number,
    cell: number,
    squashed: number,
    output: number,
  ): void;
  /** z becomes its gradient, dCell that of cellBefore; dBias is added to. */
  gatesBackward(
    rows: number,
    hidden: number,
    z: number,
    cellBefore: number,
    squashed: number,
    dOutput: number,
    dCell: number,
    dBias: number,
  ): void;
  /** y = x/2 (1 + tanh(√(2/π) (x + 0.044715 x³))). */
  geluForward(count: number, x: number, y: number): void;
  /** d *= slope of the above at x. */
  geluBackward(count: number, x: number, d: number): void;
  /** hat = (x − mean) · inverse, inverse = 1 / √(variance + 1e-5), y = hat · gain + shift, row by row. y may be x. */
  normForward(
    rows: number,
    columns: number,
    x: number,
    gain: number,
    shift: number,
    hat: number,
    inverse: number,
    y: number,
  ): void;
  /** dGain, dShift and dX are added to. */
  normBackward(
    rows: number,
    columns: number,
    dY: number,
    hat: number,
    inverse: number,
    gain: number,
    dGain: number,
    dShift: number,
    dX: number,
  ): void;
  /** Every row of s becomes softmax(scale · s). */
  softmaxForward(rows: number, columns: number, s: number, scale: number): void;
  /** p: what the above gave. d, the gradient of p, becomes that of s. */
  softmaxBackward(rows: number, columns: number, p: number, d: number, scale: number): void;
  /** Σ x². */
  squares(count: number, x: number): number;
  /**
   * One step of Adam: g · scale is the gradient; m = 0.9 m + 0.1 g; v = 0.999 v + 0.001 g²;
   * w = keep · w − rate · m · correction1 / (√(v · correction2) + 1e-8).
   */
  adam(
    count: number,
    w: number,
    g: number,
    m: number,
    v: number,
    scale: number,
    rate: number,
    correction1: number,
    correction2: number,
    keep: number,
  ): void;
};

/** Kernels with a memory of so many zeros. */
export type KernelFactory = (count: number) => Kernels;
