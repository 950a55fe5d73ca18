import { IPv4, IPv6 } from "ip-num";
import type { EgressPolicySpec } from "../../runner/networkPolicy.ts";

/**
 * Whether a policy allows an address, by the words of the API reference and ip-num's arithmetic: a rule allows what is
 * in one of its blocks and in none of that block's excepts, on one of its ports. Selector peers never match an address.
 * Slow and obvious; shares nothing with the code under test.
 */
export function allowsAddress(spec: EgressPolicySpec, address: string, protocol: string, port: number): boolean {
  return spec.egress.some(
    ({ to, ports }) =>
      to.some(
        (peer) =>
          "ipBlock" in peer &&
          holds(peer.ipBlock.cidr, address) &&
          !(peer.ipBlock.except ?? []).some((except) => holds(except, address)),
      ) &&
      (ports === undefined ||
        ports.some(
          (entry) => entry.protocol === protocol && entry.port <= port && port <= (entry.endPort ?? entry.port),
        )),
  );
}

/** Whether a block holds an address; never across families. */
export function holds(cidr: string, address: string): boolean {
  const { isIpv6, first, last } = endsOf(cidr);
  const value = numberOf(address);
  return isIpv6 === address.includes(":") && first <= value && value <= last;
}

/** The addresses at and just beyond the ends of blocks: where verdicts change, if they change at all. */
export function boundaries(cidrs: readonly string[]): string[] {
  const points = new Set<string>();
  for (const { isIpv6, first, last } of cidrs.map(endsOf)) {
    const highest = (1n << (isIpv6 ? 128n : 32n)) - 1n;
    for (const value of [first - 1n, first, (first + last) / 2n, last, last + 1n]) {
      if (value >= 0n && value <= highest) {
        points.add((isIpv6 ? new IPv6(value) : new IPv4(value)).toString());
      }
    }
  }
  return [...points];
}

interface Ends {
  readonly isIpv6: boolean;
  readonly first: bigint;
  readonly last: bigint;
}

const ends = new Map<string, Ends>();

function endsOf(cidr: string): Ends {
  const known = ends.get(cidr);
  if (known !== undefined) {
    return known;
  }
  const [address = "", prefixLength] = cidr.split("/");
  const isIpv6 = address.includes(":");
  const size = 1n << (BigInt(isIpv6 ? 128 : 32) - BigInt(prefixLength ?? ""));
  const first = numberOf(address);
  const found = { isIpv6, first, last: first + size - 1n };
  ends.set(cidr, found);
  return found;
}

const values = new Map<string, bigint>();

/** ip-num is slow, so each text is read once. */
function numberOf(address: string): bigint {
  const value = values.get(address) ?? (address.includes(":") ? new IPv6(address) : new IPv4(address)).getValue();
  values.set(address, value);
  return value;
}
