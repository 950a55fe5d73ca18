import { changedBoxes, type PortChange, tableChanges, witnessOf } from "./boxes.ts";
import { type AddressRange, formatRange } from "./cidr.ts";
import { type Explanation, explain } from "./explain.ts";
import type { EgressAnalysis, Point } from "./normalForm.ts";
import { anyGrantAllows, combineTables, type PortTable, portTable, uniformTable } from "./ports.ts";
import { POLICY_PROTOCOLS, type PolicyProtocol, type PortRange } from "./protocol.ts";
import type { RangeSet } from "./rangeSet.ts";
import type { PodSet } from "./reach/podSets.ts";
import { Reach } from "./reach/reach.ts";
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

/** What an assertion says, wherever. */
export type Expectation = Pick<Assertion, "expect" | "protocols" | "ports">;

/** The parts of some addresses on which an assertion does not hold. */
export function wrongAddresses(
  analysis: EgressAnalysis,
  expectation: Expectation,
  addresses: readonly AddressRange[],
): Contradiction[] {
  const asked = Reach.over({ ...expectation, addresses }).maps;
  const wrong = changedBoxes(asked, Reach.of(analysis).maps, (space, table) =>
    wrongIn(space, table, expectation.expect),
  );
  return wrong.map((box) => {
    const { range, protocols, ports, after: verdict } = box;
    const witness = witnessOf(box);
    const explanation = explain(analysis, witness);
    return { where: formatRange(range), range, protocols, ports, verdict, witness, explanation, why: explanation.text };
  });
}

/**
 * The ports of an assertion on which a table says something else; `order-dependent` is never what was asked for, except
 * where no rule makes it so: then nothing is known.
 */
export function wrongPorts(table: PortTable, { expect, protocols, ports }: Expectation): PortChange[] {
  const permissions = protocols.flatMap((protocol) => ports.map((range) => ({ protocol, range, grants: [] })));
  return wrongIn(portTable(permissions, POLICY_PROTOCOLS, anyGrantAllows), table, expect);
}

/** What a table says otherwise on the ports of a space. */
function wrongIn(space: PortTable, table: PortTable, expect: Assertion["expect"]): PortChange[] {
  const found = combineTables(space, table, (inside, found) =>
    inside.verdict === "deny" || (found.verdict === "order-dependent" && found.grants.length === 0)
      ? { verdict: expect, grants: [] }
      : found,
  );
  return tableChanges(uniformTable(expect, POLICY_PROTOCOLS), found);
}
