/** `1 row`, `3 rows`. */
export function plural(count: number, one: string, many = `${one}s`): string {
  return `${count} ${count === 1 ? one : many}`;
}

/** With a capital letter, as at the start of a sentence. */
export function capital(text: string): string {
  return text.slice(0, 1).toUpperCase() + text.slice(1);
}

/** `4,194,304`. */
export function grouped(value: bigint): string {
  // Not toLocaleString, which first loads a locale: 15 ms.
  return String(value).replace(/\B(?=(\d{3})+$)/g, ",");
}

/** `4,194,304`; from 2^33 on as a power of two where it is one, else in scientific notation. */
export function formatCount(count: bigint): string {
  if (count < 1n << 33n) {
    return grouped(count);
  }
  const isPower = (count & (count - 1n)) === 0n;
  return isPower ? `2^${count.toString(2).length - 1}` : Number(count).toExponential(1).replace("e+", " × 10^");
}
