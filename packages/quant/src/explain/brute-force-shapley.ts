/**
 * Shapley values straight from their definition, for tests: every set of at most some ten players.
 *
 * @param worthOf Worth of a set; bit i says that player i is in it.
 */
export function bruteForceShapley(playerCount: number, worthOf: (members: number) => number): Float64Array {
  const setCount = 1 << playerCount;
  const worth = Float64Array.from({ length: setCount }, (_, members) => worthOf(members));
  const factorials = [1];
  for (let n = 1; n <= playerCount; n++) factorials.push(factorials[n - 1]! * n);
  return Float64Array.from({ length: playerCount }, (_, player) => {
    let sum = 0;
    for (let members = 0; members < setCount; members++) {
      if ((members >> player) & 1) continue;
      const size = bitCount(members);
      const share = (factorials[size]! * factorials[playerCount - size - 1]!) / factorials[playerCount]!;
      sum += share * (worth[members | (1 << player)]! - worth[members]!);
    }
    return sum;
  });
}

function bitCount(members: number): number {
  let count = 0;
  for (let rest = members; rest > 0; rest &= rest - 1) count += 1;
  return count;
}
