import {
  contains,
  type Explanation,
  explain,
  formatPoint,
  formatPorts,
  formatRange,
  type NamedAddresses,
  namesIn,
  POLICY_PROTOCOLS,
  type PodRow,
  type Point,
  policyId,
  type Reach,
  type ReachBox,
  type Reference,
  witnessOf,
} from "../analysis/index.ts";
import type { RunnerReach } from "./policySet.ts";
import type { Objection } from "./violation.ts";

/** Something found under one semantics; the same under the other becomes one objection with it. */
export interface Finding extends Objection {
  /** Equal for findings that one message can tell. */
  readonly key: string;
  readonly semantics: string;
  /** Which of the runner pods, where not all. */
  readonly pods: string | undefined;
}

/** More regions than this are counted, not listed. */
const MOST_REGIONS = 8;

/** How a finding is told. */
export interface FindingText {
  /** Introduces the list of regions: `Not declared`. */
  readonly heading: string;
  readonly names: readonly NamedAddresses[];
  /** What to do about some boxes, of which the first is explained. */
  readonly fix: (boxes: readonly ReachBox[], why: Explanation) => string;
  /** What to do about pods by label. */
  readonly podFix: string;
  /** The port that a witness should have, where the region holds it. */
  readonly port?: number;
  /** One finding for all boxes, explained by the first. Default: one for each decision. */
  readonly together?: boolean;
}

/**
 * What is found in reaches, smallest first, without what is found already in the reach of fewer of the same policies: there
 * it has the same cause.
 */
export function foundFirst(
  reaches: readonly RunnerReach[],
  find: (reach: RunnerReach) => Reach,
): [reach: RunnerReach, found: Reach][] {
  const before: [RunnerReach, Reach][] = [];
  return reaches.flatMap((reach): [RunnerReach, Reach][] => {
    const found = find(reach);
    if (found.isEmpty) {
      return [];
    }
    const fresh = before
      .filter(
        ([other]) =>
          other.semantics.name === reach.semantics.name &&
          other.policies.every((policy) => reach.policies.includes(policy)),
      )
      .reduce((rest, [, known]) => rest.minus(known), found);
    before.push([reach, found]);
    return fresh.isEmpty ? [] : [[reach, fresh]];
  });
}

/** What is found in the reach of some pods: addresses, and pods by label. */
export function findings(reach: RunnerReach, found: Reach, text: FindingText): Finding[] {
  return [...addressFindings(reach, found.boxes, text), ...found.pods.map((row) => podFinding(reach, row, text))];
}

/** Boxes of a reach, those of one family decided by the same rules for the same reason as one finding each. */
export function addressFindings(
  reach: RunnerReach,
  boxes: readonly ReachBox[],
  { heading, names, fix, port, together = false }: Omit<FindingText, "podFix">,
): Finding[] {
  const witness = (box: ReachBox): Point =>
    port !== undefined && box.ports.from <= port && port <= box.ports.to ? { ...witnessOf(box), port } : witnessOf(box);
  const groups = Map.groupBy(
    boxes.map((box) => ({ box, why: explain(reach.analysis, witness(box)) })),
    ({ box, why }) => (together ? "" : `${box.range.family} ${decisionKey(why)}`),
  );
  return [...groups].map(([decision, group]) => {
    const { why } = group[0] as (typeof group)[0];
    const own = group.map(({ box }) => box);
    const regions = group.slice(0, MOST_REGIONS).map(({ box }) => `${formatBox(box)} (${nameOf(box, names)})`);
    const more = group.length - regions.length;
    return {
      key: `${decision} ${own.map(formatBox).join()}`,
      ...placeOf(reach, why.allowedBy[0] ?? why.exceptedBy[0] ?? why.nearest?.reference),
      semantics: reach.semantics.name,
      pods: reach.pods,
      witness: formatPoint(why.point),
      message: `${why.text} ${heading}: ${regions.join(", ")}${more > 0 ? ` and ${more} more` : ""}.`,
      fix: fix(own, why),
    };
  });
}

/** What a region is called: the caller's block around it, else the registry's name. */
function nameOf({ range }: ReachBox, names: readonly NamedAddresses[]): string {
  return names.find(({ cidr }) => contains(cidr, range))?.name ?? namesIn(range)[0] ?? "";
}

/** Ports on pods by label; the rule is the first that grants them. */
function podFinding(reach: RunnerReach, row: PodRow, { heading, podFix }: FindingText): Finding {
  const [grant] = row.grants;
  const policy = grant && reach.policies[grant.policy];
  const id = policy && policyId(policy.policy);
  const by =
    grant === undefined
      ? "because no policy isolates the egress of this pod"
      : `by rule ${grant.rule} of ${id} (spec.egress[${grant.rule}]${grant.peer === undefined ? "" : `.to[${grant.peer}]`})`;
  const witness = formatPods(row);
  return {
    key: `pods ${id} ${grant?.rule} ${witness}`,
    resource: policy?.planned.resource,
    policy: id,
    rule: grant?.rule,
    semantics: reach.semantics.name,
    pods: reach.pods,
    witness,
    message: `${witness}: allowed ${by}. ${heading}.`,
    fix: podFix,
  };
}

/** `10.0.0.0/8 TCP, UDP 443`, `10.0.0.0/8 all ports`. */
export function formatBox({ range, protocols, ports }: Pick<ReachBox, "range" | "protocols" | "ports">): string {
  const every = ports.from === 0 && ports.to === 65535 && POLICY_PROTOCOLS.every((each) => protocols.includes(each));
  return `${formatRange(range)} ${every ? "" : `${protocols.join(", ")} `}${formatPorts(ports)}`;
}

/** `pods app=web in namespace x, TCP 8080`. */
export function formatPods({ text, protocols, ports }: PodRow): string {
  return `${text}, ${protocols.join(", ")} ${typeof ports === "string" ? `port "${ports}"` : formatPorts(ports)}`;
}

/** Turns findings into objections, the same ones under both semantics into one. */
export function objectionsOf(findings: readonly Finding[]): Objection[] {
  return [...Map.groupBy(findings, ({ key }) => key).values()].map((same) => {
    const { resource, policy, rule, witness, message, fix, pods } = same[0] as Finding;
    const semantics = [...new Set(same.map(({ semantics }) => semantics))].join(" and ");
    const text = `${message} (${semantics}${pods === undefined ? "" : `; runner pods with ${pods}`})`;
    return { resource, policy, rule, witness, message: text, fix };
  });
}

/** Where a reference of a reach points. */
export function placeOf(
  { policies }: RunnerReach,
  reference: Reference | undefined,
): Pick<Objection, "resource" | "policy" | "rule"> {
  const policy = reference && policies[reference.policyIndex];
  return { resource: policy?.planned.resource, policy: reference?.policy, rule: reference?.rule };
}

/** The rules that decide and how; not the peers, of which one rule may have many for the same thing. */
function decisionKey({ reason, allowedBy, exceptedBy, nearest, verdict }: Explanation): string {
  const references = [...allowedBy, ...exceptedBy, ...(nearest === undefined ? [] : [nearest.reference])];
  const places = references.map(({ policy, path }) => `${policy} ${path.replace(/\.to\[.*$/, "")}`);
  return `${reason} ${verdict} ${[...new Set(places)].join()}`;
}
