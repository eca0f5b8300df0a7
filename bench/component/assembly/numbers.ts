// Linear algebra, and a spectrum.

export class Matrix {
  constructor(
    public size: i32,
    public cells: Float64Array,
  ) {}

  static hilbert(size: i32): Matrix {
    const cells = new Float64Array(size * size);
    for (let row = 0; row < size; row++) {
      for (let column = 0; column < size; column++) cells[row * size + column] = 1.0 / <f64>(row + column + 1);
    }
    return new Matrix(size, cells);
  }

  determinant(): f64 {
    const size = this.size;
    const cells = this.cells.slice();
    let product = 1.0;
    for (let step = 0; step < size; step++) {
      let pivot = step;
      for (let row = step + 1; row < size; row++) {
        if (Math.abs(cells[row * size + step]) > Math.abs(cells[pivot * size + step])) pivot = row;
      }
      if (cells[pivot * size + step] == 0) return 0;
      if (pivot != step) {
        product = -product;
        for (let column = 0; column < size; column++) {
          const cell = cells[step * size + column];
          cells[step * size + column] = cells[pivot * size + column];
          cells[pivot * size + column] = cell;
        }
      }
      product *= cells[step * size + step];
      for (let row = step + 1; row < size; row++) {
        const factor = cells[row * size + step] / cells[step * size + step];
        for (let column = step; column < size; column++) {
          cells[row * size + column] -= factor * cells[step * size + column];
        }
      }
    }
    return product;
  }
}

/** A few functions of the frequency that is strongest in the text. */
export function fourier(text: string): f64 {
  let strongest = 0.0;
  let best = 0;
  for (let frequency = 1; frequency < 8; frequency++) {
    let real = 0.0;
    let imaginary = 0.0;
    for (let index = 0; index < text.length; index++) {
      const angle = (2 * Math.PI * <f64>frequency * <f64>index) / <f64>text.length;
      real += Math.cos(angle) * <f64>text.charCodeAt(index);
      imaginary -= Math.sin(angle) * <f64>text.charCodeAt(index);
    }
    const power = Math.hypot(real, imaginary);
    if (power > strongest) {
      strongest = power;
      best = frequency;
    }
  }
  const wave = <f64>best;
  return (
    Math.pow(wave, 1.5) + Math.exp(-wave) + Math.log(1 + wave) + Math.atan2(wave, 2) + Math.tan(wave) +
    Math.asin(1 / wave) + Math.sinh(wave / 8) + Math.cbrt(wave) + Math.log10(wave) + Math.tanh(wave)
  );
}
