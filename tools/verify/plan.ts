import { ADDRESS_FAMILIES, type AddressFamily, parseAddress } from "../../analysis/address.ts";
import { formatPoint } from "../../analysis/point.ts";
import { type Analyses, expectationOf } from "./expectation.ts";
import { forbiddenCandidates } from "./forbiddenTargets.ts";
import { requiredCandidates } from "./requiredTargets.ts";
import { isNodeAddress, type Snapshot } from "./snapshot.ts";
import type { Candidate, Plan, Target, TargetSource, Uncovered } from "./targets.ts";
import { type NamedTarget, probeKindOf, UNTRIABLE } from "./targetsFile.ts";

/** More would make a round of attempts longer than the time for which a denial is watched. */
export const MOST_TARGETS = 40;

interface PlanInput extends Analyses {
  readonly snapshot: Snapshot;
  readonly named: readonly NamedTarget[];
}

/**
 * Derives what to try: first what the policy's rules allow, then what must be denied, each where something listens, then
 * what the targets file names. A destination that several reasons ask for is tried once.
 */
export function planTargets(input: PlanInput): Plan {
  const { snapshot, named } = input;
  const families = podFamilies(snapshot);
  const required = requiredCandidates(input);
  const candidates: (Candidate & { readonly source: TargetSource })[] = [
    ...required.candidates.map((candidate) => ({ ...candidate, source: "required" as const })),
    ...forbiddenCandidates(input).map((candidate) => ({ ...candidate, source: "forbidden" as const })),
    ...named.map(({ name, point }) => ({ name, point, source: "named" as const })),
  ];
  const uncovered: Uncovered[] = [...required.uncovered];
  const byPoint = new Map<string, Omit<Target, "id">>();
  for (const { name, point, source } of candidates) {
    const address = formatPoint(point);
    const kind = probeKindOf(point);
    const leftOut = !families.has(point.address.family)
      ? `the pods have no ${point.address.family} address to send from`
      : source !== "named" && isNodeAddress(snapshot.pods, point.address)
        ? "it is a node's address, which an enforcer may leave open or closed for reasons of its own"
        : undefined;
    if (leftOut !== undefined || kind === undefined) {
      uncovered.push({ what: `${name} (${address})`, why: leftOut ?? UNTRIABLE, isRequired: false });
    } else if (!byPoint.has(address)) {
      byPoint.set(address, { name, point, kind, source, ...expectationOf(input, snapshot, point) });
    }
  }
  // What a rule allows comes first whoever asked for it, so that a broken destination is the first thing to be read.
  const inOrder = [...byPoint.values()].sort((a, b) => rank(a) - rank(b));
  return {
    targets: inOrder.map((target, index) => ({ id: `t${index + 1}`, ...target })),
    uncovered,
  };
}

function rank({ expected, source }: Pick<Target, "expected" | "source">): number {
  return (expected === "allow" ? 0 : 2) + (source === "named" ? 1 : 0);
}

/**
 * The families that pods can send from: those of their addresses. An IPv6 cluster also counts as IPv4, because the VPC
 * CNI gives its pods an IPv4 way out that the agent does not watch (`ENABLE_V4_EGRESS`, default true).
 */
function podFamilies({ inventory, apiServer }: Pick<Snapshot, "inventory" | "apiServer">): Set<AddressFamily> {
  const families = new Set(inventory.pods.flatMap(({ addresses }) => addresses.map(({ family }) => family)));
  const service = parseAddress(apiServer.service?.spec.clusterIP ?? "");
  if (service !== undefined) {
    families.add(service.family);
  }
  return families.has("ipv6") ? new Set(ADDRESS_FAMILIES) : families;
}
