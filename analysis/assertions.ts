import { cellRange } from "./addressMap.ts";
import { type ChangedRange, fewestBoxes } from "./boxes.ts";
import { type AddressRange, formatRange } from "./cidr.ts";
import type { EgressAnalysis } from "./compile.ts";
import { witnessOf } from "./diff.ts";
import { type Explanation, explain } from "./explain.ts";
import type { PolicyProtocol, PortRange } from "./networkPolicy.ts";
import { cellIndexAt } from "./partition.ts";
import { judgePods } from "./podAssertions.ts";
import type { Point } from "./point.ts";
import type { PortTable } from "./ports.ts";
import { type RangeSet, subtract } from "./rangeSet.ts";
import type { PodSet } from "./reach/podSets.ts";
import { unplacedGrants } from "./selectorRegions.ts";
import { awsEndpointAt } from "./specialPurpose.ts";
import type { Verdict } from "./verdict.ts";

/** Destinations that all have to be allowed, or all denied. */
export interface Assertion {
  readonly name: string;
  readonly expect: "allow" | "deny";
  readonly addresses: RangeSet;
  /**
   * The part of `addresses` that a named set of both families gives, such as `aws-metadata`. It means the cluster's own
   * family where that is known: the pods have no address of the other, which the agent does not look at. Default: none.
   */
  readonly named?: RangeSet;
  readonly pods: readonly PodSet[];
  readonly protocols: readonly PolicyProtocol[];
  readonly ports: readonly PortRange[];
}

/** A stretch of destinations on which an assertion does not hold. */
export interface Contradiction {
  /** The addresses, or the pods, as text. */
  readonly where: string;
  readonly range: AddressRange | undefined;
  readonly protocols: readonly string[];
  readonly ports: PortRange;
  readonly verdict: Verdict;
  /** One destination and why; `undefined` for pods whose addresses are not known. */
  readonly witness: Point | undefined;
  readonly explanation: Explanation | undefined;
  /** Why, in a sentence. */
  readonly why: string;
}

/** How an assertion fared. */
export interface AssertionResult {
  readonly name: string;
  readonly expect: "allow" | "deny";
  /**
   * `vacuous`: it names no destination at all, so it proves nothing; counts as a failure. `inconclusive`: the agent cannot
   * load the policy, or the addresses or namespaces of pods decide, and no inventory has them.
   */
  readonly outcome: "holds" | "fails" | "vacuous" | "inconclusive";
  readonly contradictions: readonly Contradiction[];
  /**
   * What does not hold with it: for a denial, what may be reached all the same at addresses that were not given; for pods
   * that are allowed, Services in front of them that EKS denies.
   */
  readonly apart: readonly string[];
  readonly text: string;
}

/** Checks assertions against what the policies allow, exactly: every address, protocol and port that they name. */
export function check(analysis: EgressAnalysis, assertions: readonly Assertion[]): AssertionResult[] {
  return assertions.map((assertion) => checkOne(analysis, inFamily(analysis, assertion)));
}

function inFamily({ semantics }: EgressAnalysis, assertion: Assertion): Assertion {
  if (semantics.name === "kubernetes") {
    return assertion;
  }
  const other = (assertion.named ?? []).filter(({ family }) => family !== semantics.ipFamily);
  return { ...assertion, addresses: subtract(assertion.addresses, other) };
}

function checkOne(analysis: EgressAnalysis, assertion: Assertion): AssertionResult {
  const { ifIsolated } = analysis;
  const result = judge(analysis, assertion);
  // Whether the pod is isolated depends on labels that only an inventory resolves.
  return ifIsolated === undefined || judge(ifIsolated, assertion).outcome === result.outcome
    ? result
    : {
        ...result,
        outcome: "inconclusive",
        contradictions: [],
        apart: [],
        text: `${assertion.name}: depends on pods that only an inventory tells: if the egress rules' labels match any, the pod is isolated on EKS`,
      };
}

function judge(analysis: EgressAnalysis, assertion: Assertion): AssertionResult {
  const { name, expect, addresses, pods, protocols, ports } = assertion;
  const result = (
    outcome: AssertionResult["outcome"],
    text: string,
    contradictions: readonly Contradiction[] = [],
    apart: readonly string[] = [],
  ): AssertionResult => ({ name, expect, outcome, contradictions, apart, text: `${name}: ${text}` });
  if ((addresses.length === 0 && pods.length === 0) || protocols.length === 0 || ports.length === 0) {
    return result("vacuous", "names no destination, so it proves nothing");
  }
  if (analysis.aborts.length > 0) {
    return result("inconclusive", "the agent cannot load this policy and keeps whatever was loaded before");
  }
  const answers = pods.map((set) => judgePods(analysis, set, assertion));
  const contradictions = [
    ...wrongAddresses(analysis, assertion, addresses),
    ...answers.flatMap(({ contradictions }) => contradictions),
  ];
  const [first] = contradictions;
  if (first !== undefined) {
    const more = contradictions.length > 1 ? ` (and ${contradictions.length - 1} more)` : "";
    return result("fails", `should ${expect} ${first.where}, but ${first.why}${more}`, contradictions);
  }
  const doubts = answers.flatMap((answer) => answer.doubts);
  if (doubts.length > 0) {
    return result("inconclusive", doubts.join("; "));
  }
  const apart = [
    ...answers.flatMap((answer) => answer.apart),
    ...(expect === "deny" ? withoutAddress(analysis, assertion) : []),
  ];
  const because = analysis.isolated ? "" : " because no policy isolates the egress of this pod";
  const verdict = expect === "allow" ? `allowed${because}` : "denied";
  return result("holds", `${verdict}${apart.length === 0 ? "" : `, apart from ${apart.join(" and ")}`}`, [], apart);
}

/** The parts of some addresses on which an assertion does not hold. */
export function wrongAddresses(
  analysis: EgressAnalysis,
  assertion: Pick<Assertion, "expect" | "protocols" | "ports">,
  addresses: readonly AddressRange[],
): Contradiction[] {
  const { expect } = assertion;
  const wrong: ChangedRange[] = addresses.flatMap((range) => {
    const partition = analysis.partitions[range.family];
    const found: ChangedRange[] = [];
    for (
      let index = cellIndexAt(partition, { ...range, value: range.first });
      index < partition.cells.length;
      index++
    ) {
      const cell = cellRange(partition, index);
      if (cell.first > range.last) {
        break;
      }
      const part = {
        family: range.family,
        first: cell.first > range.first ? cell.first : range.first,
        last: cell.last < range.last ? cell.last : range.last,
      };
      const changes = wrongPorts((partition.cells[index] as (typeof partition.cells)[0]).table, assertion).map(
        ({ verdict, ...rest }) => ({ ...rest, before: expect, after: verdict }),
      );
      if (changes.length > 0) {
        found.push({ range: part, changes });
      }
    }
    return found;
  });
  return fewestBoxes(wrong).map(({ range, protocols, ports, after }) => {
    const witness = witnessOf({ range, protocols, ports });
    const explanation = explain(analysis, witness);
    const where = formatRange(range);
    return { where, range, protocols, ports, verdict: after, witness, explanation, why: explanation.text };
  });
}

export interface WrongPorts {
  readonly protocols: readonly PolicyProtocol[];
  readonly ports: PortRange;
  readonly verdict: Verdict;
}

/** The ports of an assertion on which a table says something else; `order-dependent` is never what was asked for. */
export function wrongPorts(
  table: PortTable,
  { expect, protocols, ports }: Pick<Assertion, "expect" | "protocols" | "ports">,
): WrongPorts[] {
  const byShape = new Map<string, { protocols: PolicyProtocol[]; ports: PortRange; verdict: Verdict }>();
  for (const protocol of protocols) {
    for (const asked of ports) {
      for (const span of table.spans[protocol] ?? []) {
        const from = Math.max(span.from, asked.from);
        const to = Math.min(span.to, asked.to);
        if (from <= to && span.verdict !== expect) {
          const key = `${from}-${to} ${span.verdict}`;
          const known = byShape.get(key) ?? { protocols: [], ports: { from, to }, verdict: span.verdict };
          if (!known.protocols.includes(protocol)) {
            known.protocols.push(protocol);
          }
          byShape.set(key, known);
        }
      }
    }
  }
  return [...byShape.values()];
}

/** What the policies, or the agent by itself, may allow at addresses that the analysis was not given. */
function withoutAddress(analysis: EgressAnalysis, assertion: Assertion): string[] {
  const { semantics } = analysis;
  // No pod and no node has the address of an AWS service.
  const ranges = assertion.addresses.filter(
    ({ family, first, last }) => first !== last || awsEndpointAt({ family, value: first }) === undefined,
  );
  const isNodeUnknown =
    semantics.name === "vpc-cni" &&
    semantics.nodeIp === undefined &&
    ranges.some(({ family }) => family === semantics.ipFamily);
  return [
    ...(ranges.length > 0 && unplacedGrants(analysis, assertion).length > 0
      ? ["pods and Services that rules name by label"]
      : []),
    ...(isNodeUnknown ? ["the pod's own node"] : []),
  ];
}
