import { type ChangedRange, fewestBoxes } from "./boxes.ts";
import { type AddressRange, formatRange } from "./cidr.ts";
import type { EgressAnalysis } from "./compile.ts";
import { type Explanation, explain } from "./explain.ts";
import type { LabelSelector } from "./labelSelector.ts";
import type { PolicyProtocol, PortRange } from "./networkPolicy.ts";
import { cellIndexAt, cellRange } from "./partition.ts";
import type { Point } from "./point.ts";
import type { PortTable } from "./ports.ts";
import type { RangeSet } from "./rangeSet.ts";
import { formatPorts } from "./regions.ts";
import { formatPodSet, type PodSet, selectorRegion } from "./selectorRegions.ts";
import type { Verdict } from "./verdict.ts";

/** Destinations that all have to be allowed, or all denied. */
export interface Assertion {
  readonly name: string;
  readonly expect: "allow" | "deny";
  readonly addresses: RangeSet;
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
  /** One destination and why; `undefined` for pods by label. */
  readonly witness: Point | undefined;
  readonly explanation: Explanation | undefined;
}

/** How an assertion fared. */
export interface AssertionResult {
  readonly name: string;
  readonly expect: "allow" | "deny";
  /**
   * `vacuous`: it names no destination at all, so it proves nothing; counts as a failure. `inconclusive`: the agent cannot
   * load the policy, or pods by label may or may not be among those that a rule names.
   */
  readonly outcome: "holds" | "fails" | "vacuous" | "inconclusive";
  readonly contradictions: readonly Contradiction[];
  readonly text: string;
}

/** Checks assertions against what the policies allow, exactly: every address, protocol and port that they name. */
export function check(analysis: EgressAnalysis, assertions: readonly Assertion[]): AssertionResult[] {
  return assertions.map((assertion) => checkOne(analysis, assertion));
}

function checkOne(analysis: EgressAnalysis, assertion: Assertion): AssertionResult {
  const { name, expect, addresses, pods, protocols, ports } = assertion;
  const result = (outcome: AssertionResult["outcome"], contradictions: readonly Contradiction[], text: string) => ({
    name,
    expect,
    outcome,
    contradictions,
    text: `${name}: ${text}`,
  });
  if ((addresses.length === 0 && pods.length === 0) || protocols.length === 0 || ports.length === 0) {
    return result("vacuous", [], "names no destination, so it proves nothing");
  }
  if (analysis.aborts.length > 0) {
    return result("inconclusive", [], "the agent cannot load this policy and keeps whatever was loaded before");
  }
  const contradictions = [...wrongAddresses(analysis, assertion), ...wrongPods(analysis, assertion)];
  const [first] = contradictions;
  if (first !== undefined) {
    const more = contradictions.length > 1 ? ` (and ${contradictions.length - 1} more)` : "";
    const why = first.explanation?.text ?? `${first.where} ${formatPorts(first.ports)} has verdict ${first.verdict}.`;
    return result("fails", contradictions, `should ${expect} ${first.where}, but ${why}${more}`);
  }
  const unsure = pods.filter((set) => mayBeNamed(analysis, set, assertion));
  return unsure.length > 0
    ? result("inconclusive", [], `a rule may name some of ${unsure.map(formatPodSet).join(", ")}`)
    : result("holds", [], expect === "allow" ? "allowed" : "denied");
}

function wrongAddresses(analysis: EgressAnalysis, assertion: Assertion): Contradiction[] {
  const { expect, addresses } = assertion;
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
    const witness: Point = {
      address: { family: range.family, value: range.first },
      protocol: protocols[0] as PolicyProtocol,
      port: ports.from === 0 && ports.to > 0 ? 1 : ports.from,
    };
    const explanation = explain(analysis, witness);
    return { where: formatRange(range), range, protocols, ports, verdict: after, witness, explanation };
  });
}

interface WrongPorts {
  readonly protocols: readonly PolicyProtocol[];
  readonly ports: PortRange;
  readonly verdict: Verdict;
}

/** The ports of an assertion on which a table says something else; `order-dependent` is never what was asked for. */
function wrongPorts(table: PortTable, { expect, protocols, ports }: Assertion): WrongPorts[] {
  const byShape = new Map<string, { protocols: PolicyProtocol[]; ports: PortRange; verdict: Verdict }>();
  for (const protocol of protocols) {
    for (const asked of ports) {
      for (const span of table.spans[protocol] ?? []) {
        const from = Math.max(span.from, asked.from);
        const to = Math.min(span.to, asked.to);
        if (from <= to && span.verdict !== expect) {
          const key = `${from}-${to} ${span.verdict}`;
          const known = byShape.get(key) ?? { protocols: [], ports: { from, to }, verdict: span.verdict };
          known.protocols.push(protocol);
          byShape.set(key, known);
        }
      }
    }
  }
  return [...byShape.values()];
}

function wrongPods(analysis: EgressAnalysis, assertion: Assertion): Contradiction[] {
  if (!analysis.isolated) {
    return assertion.expect === "allow" ? [] : assertion.pods.map((set) => podContradiction(set, assertion, "allow"));
  }
  return assertion.pods.flatMap((set) =>
    wrongPorts(selectorRegion(analysis.podGrants, set).table, assertion).map(({ protocols, ports, verdict }) =>
      podContradiction(set, { ...assertion, protocols, ports: [ports] }, verdict),
    ),
  );
}

function podContradiction(set: PodSet, { protocols, ports }: Assertion, verdict: Verdict): Contradiction {
  return {
    where: formatPodSet(set),
    range: undefined,
    protocols,
    ports: ports[0] as PortRange,
    verdict,
    witness: undefined,
    explanation: undefined,
  };
}

/** Whether a rule names pods that may, but need not, be among those of a denial. */
function mayBeNamed(analysis: EgressAnalysis, set: PodSet, { expect, protocols, ports }: Assertion): boolean {
  return (
    expect === "deny" &&
    analysis.podGrants.some(
      ({ pods, permissions }) =>
        !areDisjoint(pods.podSelector, set.podSelector) &&
        !areDisjoint(pods.namespaceSelector, set.namespaceSelector) &&
        permissions.some(
          ({ protocol, range }) =>
            (protocol === "any" || protocols.includes(protocol)) &&
            ports.some(({ from, to }) => range.from <= to && from <= range.to),
        ),
    )
  );
}

/** Whether no labels can satisfy both selectors; sound, not complete. */
function areDisjoint(a: LabelSelector, b: LabelSelector): boolean {
  return a.requirements.some((left) =>
    b.requirements.some((right) => {
      if (left.key !== right.key) {
        return false;
      }
      const operators = [left.operator, right.operator];
      if (left.operator === "In" && right.operator === "In") {
        return !left.values.some((value) => right.values.includes(value));
      }
      if (operators.includes("DoesNotExist")) {
        return operators.includes("In") || operators.includes("Exists");
      }
      const [wanted, refused] = left.operator === "In" ? [left, right] : [right, left];
      return (
        wanted.operator === "In" &&
        refused.operator === "NotIn" &&
        wanted.values.every((value) => refused.values.includes(value))
      );
    }),
  );
}
