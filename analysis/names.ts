import { formatAddress } from "./address.ts";
import { type AddressRange, type Cidr, contains, overlaps } from "./cidr.ts";
import { isNat64 } from "./embeddedIpv4.ts";
import { AWS_ENDPOINTS, describeBlock, specialPurposeBlockOf, specialPurposeBlocksIn } from "./specialPurpose.ts";

/** A block that the caller has a name for, such as `VPC techops-prod`. */
export interface NamedAddresses {
  readonly cidr: Cidr;
  readonly name: string;
}

/** More than this many names say nothing any more. */
const MOST_NAMES = 4;

/**
 * What a range of addresses is called, the most telling first: the caller's names, the registry block that holds it, the
 * AWS services in it, else the registry blocks that it holds.
 */
export function namesIn(range: AddressRange, known: readonly NamedAddresses[] = []): string[] {
  const own = known.filter(({ cidr }) => contains(cidr, range) || overlaps(cidr, range)).map(({ name }) => name);
  const around = specialPurposeBlockOf(range);
  const inside = around === undefined ? specialPurposeBlocksIn(range) : [];
  const services = AWS_ENDPOINTS.filter(({ cidr }) => contains(range, cidr)).map(
    ({ cidr: { family, first }, name }) => `${name} ${formatAddress({ family, value: first })}`,
  );
  const names = [
    ...own,
    ...(around === undefined ? [] : [describeBlock(around)]),
    ...(services.length <= MOST_NAMES ? services : [`${services.length} AWS link-local services`]),
    ...(inside.length > MOST_NAMES
      ? [`${inside.length} special-purpose blocks`]
      : inside.filter(({ cidr }) => !isNat64(cidr) || contains(range, cidr)).map(describeBlock)),
  ];
  return names.length === 0 ? ["public internet"] : [...new Set(names)];
}
