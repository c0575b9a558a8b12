// Sine, cosine and arcsine out of additions, multiplications, divisions and square roots alone, which IEEE 754 defines to the
// last bit: every machine gets the same, which Math.sin does not promise. Doubles in and out. Errors: about one unit in the last
// place, or 1e-25 where sine and cosine are next to nothing.

/** pi / 2 in two parts: the first has 33 bits, so that small multiples of it are exact. */
const HALF_PI_HIGH = 1.5707963267341256;
const HALF_PI_LOW = 6.077100506506192e-11;
/** The rounding error of the double nearest to pi / 2. */
const HALF_PI_REST = 6.123233995736766e-17;
/** Beyond this the reduction would lose bits. */
export const ANGLE_MAX = 1e5;

/** Taylor's coefficients of x^3, x^5, ... and of x^4, x^6, ...; enough of them for |x| up to pi / 4. */
const SINE = coefficients(3, 8);
const COSINE = coefficients(4, 8);

function coefficients(first: number, count: number): Float64Array {
  const made = new Float64Array(count);
  for (let i = 0; i < count; i++) {
    let factorial = 1;
    for (let n = 2; n <= first + 2 * i; n++) factorial *= n;
    made[i] = ((first >> 1) + i) % 2 === 0 ? 1 / factorial : -1 / factorial;
  }
  return made;
}

/** @param x radians, |x| up to ANGLE_MAX; NaN beyond */
export function sine(x: number): number {
  return ofQuadrant(x, 0);
}

/** @param x radians, |x| up to ANGLE_MAX; NaN beyond */
export function cosine(x: number): number {
  return ofQuadrant(x, 1);
}

function ofQuadrant(x: number, shift: number): number {
  if (!(Math.abs(x) <= ANGLE_MAX)) return Number.NaN;
  const quadrant = Math.round(x / (Math.PI / 2));
  const high = x - quadrant * HALF_PI_HIGH;
  const low = quadrant * HALF_PI_LOW;
  const angle = high - low;
  const rest = high - angle - low;
  switch ((quadrant + shift) & 3) {
    case 0:
      return sineNear(angle, rest);
    case 1:
      return cosineNear(angle, rest);
    case 2:
      return -sineNear(angle, rest);
    default:
      return -cosineNear(angle, rest);
  }
}

function series(of: Float64Array, square: number): number {
  let sum = of[of.length - 1]!;
  for (let i = of.length - 2; i >= 0; i--) sum = sum * square + of[i]!;
  return sum;
}

/** sin(x + rest) for |x| up to pi / 4 and a tiny rest. */
function sineNear(x: number, rest: number): number {
  const square = x * x;
  return x + (square * x * series(SINE, square) + rest * (1 - square / 2));
}

function cosineNear(x: number, rest: number): number {
  const square = x * x;
  const half = square / 2;
  // 1 - half is rounded; what it lost is added again.
  const near = 1 - half;
  return near + (1 - near - half + (square * square * series(COSINE, square) - x * rest));
}

/** @param x -1 to 1; NaN beyond */
export function arcsine(x: number): number {
  if (!(Math.abs(x) <= 1)) return Number.NaN;
  if (Math.abs(x) <= 0.5) return arcsineNear(x);
  // Near 1 the curve is steep: there the angle that is missing to pi / 2 is computed.
  const missing = 2 * arcsineNear(Math.sqrt((1 - Math.abs(x)) / 2));
  const angle = Math.PI / 2 - (missing - HALF_PI_REST);
  return x < 0 ? -angle : angle;
}

/** |x| up to 0.5: four terms of the series, then two of Newton's steps, each of which doubles the digits. */
function arcsineNear(x: number): number {
  const square = x * x;
  let angle = x * (1 + square * (1 / 6 + square * (3 / 40 + square * (15 / 336 + square * (105 / 3456)))));
  for (let step = 0; step < 2; step++) angle += (x - sine(angle)) / cosine(angle);
  return angle;
}
