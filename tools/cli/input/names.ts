import { type NamedAddresses, parseCidr } from "../../../analysis/index.ts";
import { reading, UsageError } from "../usageError.ts";

/**
 * Reads `CIDR=NAME`, which names addresses in results.
 *
 * @throws {UsageError} for a block that is none or a missing name.
 */
export function parseName(text: string): NamedAddresses {
  const at = text.indexOf("=");
  if (at < 0 || at === text.length - 1) {
    throw new UsageError(`--names ${text}: a name is given as CIDR=NAME, such as 10.1.0.0/16=staging-vpc`);
  }
  return { cidr: reading("--names", () => parseCidr(text.slice(0, at))), name: text.slice(at + 1) };
}
