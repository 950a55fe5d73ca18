import type { Placeholder, RecordedFacts } from "./recordedFacts.ts";

/**
 * What is different in the live network from what is recorded of it, a line each, in a fixed order. Members that hold
 * placeholders are not compared.
 */
export function differencesFrom(recorded: RecordedFacts, live: RecordedFacts): string[] {
  const isReal = (member: Placeholder) => !recorded.placeholders.includes(member);
  const [was, is] = [subnetsOf(recorded, isReal("databaseSubnets.id")), subnetsOf(live, isReal("databaseSubnets.id"))];
  return [
    ...changed("region", recorded.region, live.region),
    ...(isReal("vpc.id") ? changed("vpc.id", recorded.vpc.id, live.vpc.id) : []),
    ...listed("VPC block", blocksOf(recorded), blocksOf(live)),
    ...listed("database subnet", was, is),
    ...(isReal("cluster") ? members("cluster", { ...recorded.cluster }, { ...live.cluster }) : []),
    ...(isReal("vpcCni") ? members("vpcCni", { ...recorded.vpcCni }, { ...live.vpcCni }) : []),
  ];
}

function blocksOf({ vpc }: RecordedFacts): string[] {
  return [...vpc.ipv4Cidrs, ...vpc.ipv6Cidrs];
}

function subnetsOf({ databaseSubnets }: RecordedFacts, withIds: boolean): string[] {
  return [...databaseSubnets].map(([id, cidrs]) => `${cidrs.join(" and ")}${withIds ? ` (${id})` : ""}`).sort();
}

function listed(what: string, was: readonly string[], is: readonly string[]): string[] {
  return [
    ...is.filter((item) => !was.includes(item)).map((item) => `${what} ${item} is not recorded`),
    ...was.filter((item) => !is.includes(item)).map((item) => `${what} ${item} is recorded and not there any more`),
  ];
}

function members(name: string, was: Record<string, unknown>, is: Record<string, unknown>): string[] {
  const keys = Object.keys({ ...was, ...is }).sort();
  return keys.flatMap((key) => changed(`${name}.${key}`, was[key], is[key]));
}

function changed(name: string, was: unknown, is: unknown): string[] {
  const text = (value: unknown) => (value === undefined ? "nothing" : String(value));
  return was === is ? [] : [`${name} is ${text(is)}; recorded is ${text(was)}`];
}
