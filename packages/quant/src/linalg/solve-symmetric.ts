// The names under which the factor and the inverse were known first.
export { cholesky as choleskyFactor, inverseFromCholesky } from './cholesky.ts';
