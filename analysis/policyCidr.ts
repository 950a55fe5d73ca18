import { type Address, parseAddress } from "./address.ts";
import { type Cidr, cidrAt, formatCidr, isMapped, splitCidr } from "./cidr.ts";

/** A block of a policy, and what the API server warns about in the way it is written. */
export interface PolicyCidr {
  readonly cidr: Cidr;
  /** The end of a sentence about the written block; `undefined` where there is nothing to say. */
  readonly warning: string | undefined;
}

const LOW_32_BITS = 0xffffffffn;

/** Text of an IPv6 block that may differ from RFC 5952 without a warning: capitals, zeros that can be left out. */
const UNUSUAL = /[A-F]|(^|:)0[0-9a-f:]|::0|[^:]:0:0[:/]/;

/**
 * Reads a block as the API server reads `ipBlock` (`ParseCIDRSloppy`, Kubernetes 1.34), which is more than
 * {@link parseCidr} takes: with bits set after the prefix, with leading zeros, which are decimal, and IPv4-mapped, which
 * Go takes for the IPv4 block. The API server accepts these with a warning; the strict form of KEP-4858 refuses them from
 * 1.36 on.
 *
 * @throws {RangeError} that says what is wrong.
 */
export function parsePolicyCidr(text: string): PolicyCidr {
  const { address, prefixLength } = splitCidr(text, (start) => parseAddress(start) ?? withLeadingZeros(start));
  const asWritten = cidrAt(address.family, address.value, prefixLength);
  const isInIpv4 = isMapped(asWritten);
  const block = isInIpv4 ? cidrAt("ipv4", asWritten.first & LOW_32_BITS, prefixLength - 96) : asWritten;
  const isReadable = isReadableByAgent({ ...block, written: text });
  const warnings = [
    ...(isReadable ? [] : ["has leading zeros"]),
    ...(asWritten.first === address.value ? [] : ["has bits set after its prefix"]),
    ...(isInIpv4 ? ["is IPv4-mapped"] : []),
  ];
  const isCanonical =
    warnings.length === 0 &&
    !/\/0\d/.test(text) &&
    (address.family === "ipv4" || !UNUSUAL.test(text) || formatCidr(block) === text);
  const advice = `Write that block, because newer API servers refuse this form${isReadable ? "" : " and the AWS agent cannot read it"}`;
  return {
    cidr: isCanonical ? block : { ...block, written: text },
    warning:
      warnings.length === 0 ? undefined : `${warnings.join(" and ")}: it is read as ${formatCidr(block)}. ${advice}`,
  };
}

/** The prefix length that a policy writes, by which the AWS agent sorts; 96 more than the block's for a mapped one. */
export function writtenPrefixLength({ written, prefixLength }: Cidr): number {
  return written === undefined ? prefixLength : Number(written.slice(written.indexOf("/") + 1));
}

/** The address that a policy writes before the prefix length, bits after the prefix included. */
export function writtenAddress({ family, written, first }: Cidr): bigint {
  const address = written === undefined ? undefined : parseAddress(written.slice(0, written.indexOf("/")));
  return address === undefined ? first : family === "ipv4" ? address.value & LOW_32_BITS : address.value;
}

/** Whether a block is written as IPv4-mapped IPv6. */
export function isWrittenMapped({ family, written }: Cidr): boolean {
  return family === "ipv4" && written?.includes(":") === true;
}

/** Whether the AWS agent can read a block as it is written: Go 1.17 and later refuse leading zeros in an address. */
export function isReadableByAgent({ written }: Cidr): boolean {
  return written === undefined || parseAddress(written.slice(0, written.indexOf("/"))) !== undefined;
}

/** An address whose parts have zeros in front; octets are decimal all the same. */
function withLeadingZeros(text: string): Address | undefined {
  return parseAddress(text.replace(/(^|[:.])0+(?=[0-9a-f])/gi, "$1"));
}
