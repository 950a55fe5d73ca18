import type { ChangeBox } from "../analysis/boxes.ts";
import {
  contains,
  type Explanation,
  explain,
  formatPoint,
  formatPorts,
  type NamedAddresses,
  namesIn,
  type PodRow,
  type Point,
  policyId,
  type Reference,
  witnessOf,
} from "../analysis/index.ts";
import { formatBox } from "./boxes.ts";
import type { Reach } from "./policySet.ts";
import type { GuardrailName, Violation } from "./violation.ts";

/** Something found under one semantics; the same under the other becomes one violation with it. */
export interface Finding {
  /** Equal for findings that one message can tell. */
  readonly key: string;
  readonly semantics: string;
  /** Which of the runner pods, where not all. */
  readonly pods: string | undefined;
  readonly resource: string | undefined;
  readonly policy: string | undefined;
  readonly rule: number | undefined;
  readonly witness: string;
  readonly message: string;
  readonly fix: string;
}

/** More regions than this are counted, not listed. */
const MOST_REGIONS = 8;

/** How a finding is told. */
export interface FindingText {
  /** Introduces the list of regions: `Not declared`. */
  readonly heading: string;
  readonly names: readonly NamedAddresses[];
  /** What to do about some boxes, of which the first is explained. */
  readonly fix: (boxes: readonly ChangeBox[], why: Explanation) => string;
  /** The port that a witness should have, where the region holds it. */
  readonly port?: number;
  /** One finding for all boxes, explained by the first. Default: one for each decision. */
  readonly together?: boolean;
}

/**
 * What is found in reaches, smallest first, without what is found already in the reach of fewer of the same policies: there
 * it has the same cause.
 */
export function foundFirst<Item>(
  reaches: readonly Reach[],
  find: (reach: Reach) => readonly Item[],
  isKnown: (item: Item, known: readonly Item[]) => boolean,
): [reach: Reach, items: Item[]][] {
  const before: [Reach, readonly Item[]][] = [];
  return reaches.flatMap((reach): [Reach, Item[]][] => {
    const found = find(reach);
    const known = before.flatMap(([other, items]) =>
      other.semantics.name === reach.semantics.name && other.policies.every((policy) => reach.policies.includes(policy))
        ? items
        : [],
    );
    before.push([reach, found]);
    const fresh = found.filter((item) => !isKnown(item, known));
    return fresh.length === 0 ? [] : [[reach, fresh]];
  });
}

/** Boxes of a reach, those of one family decided by the same rules for the same reason as one finding each. */
export function addressFindings(
  reach: Reach,
  boxes: readonly ChangeBox[],
  { heading, names, fix, port, together = false }: FindingText,
): Finding[] {
  const witness = (box: ChangeBox): Point =>
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
function nameOf({ range }: ChangeBox, names: readonly NamedAddresses[]): string {
  return names.find(({ cidr }) => contains(cidr, range))?.name ?? namesIn(range)[0] ?? "";
}

/** Ports on pods by label; the rule is the first that grants them. */
export function podFindings(reach: Reach, rows: readonly PodRow[], heading: string, fix: string): Finding[] {
  return rows.map((row) => {
    const [grant] = row.grants;
    const policy = grant === undefined ? undefined : reach.policies[grant.policy];
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
      fix,
    };
  });
}

/** `pods app=web in namespace x, TCP 8080`. */
export function formatPods({ text, protocols, ports }: PodRow): string {
  return `${text}, ${protocols.join(", ")} ${typeof ports === "string" ? `port "${ports}"` : formatPorts(ports)}`;
}

/** Whether others say the same about pods. */
export function isSamePods(row: PodRow, others: readonly PodRow[]): boolean {
  return others.some((other) => formatPods(other) === formatPods(row));
}

/** Turns findings into violations, the same ones under both semantics into one. */
export function violationsOf(guardrail: GuardrailName, findings: readonly Finding[]): Violation[] {
  return [...Map.groupBy(findings, ({ key }) => key).values()].map((same) => {
    const { resource, policy, rule, witness, message, fix, pods } = same[0] as Finding;
    const semantics = [...new Set(same.map(({ semantics }) => semantics))].join(" and ");
    const text = `${message} (${semantics}${pods === undefined ? "" : `; runner pods with ${pods}`})`;
    return { guardrail, resource, policy, rule, witness, message: text, fix };
  });
}

/** Where a reference of a reach points. */
export function placeOf(
  { policies }: Pick<Reach, "policies">,
  reference: Reference | undefined,
): Pick<Finding, "resource" | "policy" | "rule"> {
  const policy = reference && policies[reference.policyIndex];
  return { resource: policy?.planned.resource, policy: reference?.policy, rule: reference?.rule };
}

/** The rules that decide and how; not the peers, of which one rule may have many for the same thing. */
function decisionKey({ reason, allowedBy, exceptedBy, nearest, verdict }: Explanation): string {
  const references = [...allowedBy, ...exceptedBy, ...(nearest === undefined ? [] : [nearest.reference])];
  const places = references.map(({ policy, path }) => `${policy} ${path.replace(/\.to\[.*$/, "")}`);
  return `${reason} ${verdict} ${[...new Set(places)].join()}`;
}
