import { ADDRESS_FAMILIES, formatAddress } from "./address.ts";
import { type AddressRange, type Cidr, contains, overlaps } from "./cidr.ts";
import { rangeSet, subtract } from "./rangeSet.ts";
import {
  AWS_ENDPOINTS,
  type AwsEndpoint,
  describeBlock,
  publicInternet,
  SPECIAL_PURPOSE_BLOCKS,
} from "./specialPurpose.ts";

/** A block that the caller has a name for, such as `VPC techops-prod`. */
export interface NamedAddresses {
  readonly cidr: Cidr;
  readonly name: string;
}

const PUBLIC = ADDRESS_FAMILIES.flatMap((family) => publicInternet(family));

/** More than this many names say nothing any more. */
const MOST_NAMES = 4;

/**
 * What a range of addresses is called, what matters most first: the endpoints in it that hand out credentials, the
 * caller's names, the narrowest registry block around it, `public internet` where it has public addresses, the other AWS
 * services in it, and the registry blocks inside it.
 */
export function namesIn(range: AddressRange, known: readonly NamedAddresses[] = []): string[] {
  return namesOfRanges([range], known);
}

/** What ranges of addresses are called together. */
export function namesOfRanges(ranges: readonly AddressRange[], known: readonly NamedAddresses[] = []): string[] {
  const all = rangeSet(ranges);
  const touches = (block: AddressRange) => all.some((range) => overlaps(block, range));
  const services = AWS_ENDPOINTS.filter(({ cidr }) => all.some((range) => contains(range, cidr)));
  const others = services.filter(({ credentialsPort }) => credentialsPort === undefined);
  const around = SPECIAL_PURPOSE_BLOCKS.filter(({ cidr }) => all.every((range) => contains(cidr, range))).at(-1);
  // A reachable block inside the public internet is part of it.
  const inside = SPECIAL_PURPOSE_BLOCKS.filter(
    ({ cidr, globallyReachable }) => around === undefined && globallyReachable !== "yes" && touches(cidr),
  );
  const unnamed = subtract(
    all,
    known.map(({ cidr }) => cidr),
  );
  const hasPublic = unnamed.some((range) => PUBLIC.some((block) => overlaps(block, range)));
  const names = [
    ...services.filter(({ credentialsPort }) => credentialsPort !== undefined).map(serviceName),
    ...known.filter(({ cidr }) => touches(cidr)).map(({ name }) => name),
    ...(around === undefined ? [] : [describeBlock(around)]),
    ...(hasPublic && (around === undefined || around.globallyReachable === "yes") ? [PUBLIC_INTERNET] : []),
    ...(others.length <= 2 ? others.map(serviceName) : [`${others.length} other AWS services`]),
    ...(inside.length > MOST_NAMES ? [`${inside.length} special-purpose blocks`] : inside.map(describeBlock)),
  ];
  return names.length === 0 ? ["addresses that nobody has been given"] : [...new Set(names)];
}

export const PUBLIC_INTERNET = "public internet";

function serviceName({ cidr: { family, first }, name }: AwsEndpoint): string {
  return `${name} ${formatAddress({ family, value: first })}`;
}
