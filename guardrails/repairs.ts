import type { ChangeBox } from "../analysis/boxes.ts";
import {
  type Cidr,
  cidrKey,
  cidrsOf,
  contains,
  formatCidr,
  notGloballyReachable,
  type Reference,
  rangeSet,
  SPECIAL_PURPOSE_BLOCKS,
} from "../analysis/index.ts";
import { isCovered } from "./boxes.ts";
import type { ReadPolicy } from "./plannedPolicy.ts";
import type { Reach } from "./policySet.ts";
import { GroupReaches } from "./runnerGroups.ts";
import { allReaches, isLoaded, type Situation } from "./situation.ts";
import { hazardKeys, lostBoxes, openEndpoints, requirements, undeclaredBoxes } from "./wrongReach.ts";

/**
 * Changes to the `except`s of a planned policy. One is proposed only where it was tried: the plan without what was found has
 * nothing else wrong that it did not have before.
 */

/** What changes in the `except` of one block. */
export interface ExceptEdit {
  /** The block's peer, among the policies of a reach. */
  readonly place: Reference;
  readonly action: "add" | "drop";
  readonly blocks: readonly Cidr[];
}

/** More blocks than this nobody types. */
const MOST_BLOCKS = 12;

/** `add 10.0.0.0/8 to the except of 0.0.0.0/0 (spec.egress[4].to[0] of ns/name)`; `undefined` where the edit does not help, or harms. */
export function triedEdit(situation: Situation, reach: Reach, edit: ExceptEdit | undefined): string | undefined {
  const policy = edit && reach.policies[edit.place.policyIndex];
  if (edit === undefined || policy === undefined || edit.blocks.length === 0 || edit.blocks.length > MOST_BLOCKS) {
    return undefined;
  }
  const { rule, peer: index } = edit.place;
  const peer = index === undefined ? undefined : policy.policy.egress[rule]?.to?.[index];
  const changed = withEdit(policy, edit);
  if (peer?.kind !== "ipBlock" || changed === undefined || !improves(situation, policy, changed)) {
    return undefined;
  }
  const blocks = edit.blocks.map(formatCidr).join(", ");
  const where = `the except of ${formatCidr(peer.cidr)} (spec.egress[${rule}].to[${index}] of ${edit.place.policy})`;
  return edit.action === "add" ? `add ${blocks} to ${where}` : `drop ${blocks} from ${where}`;
}

/** The edit that takes boxes out of the block that allows them: whole blocks of the registries and of the VPC where those fit. */
export function exceptingEdit(
  { declaration: { vpcCidrs } }: Situation,
  { policies }: Reach,
  boxes: readonly ChangeBox[],
  place: Reference | undefined,
): ExceptEdit | undefined {
  const peer =
    place?.peer === undefined ? undefined : policies[place.policyIndex]?.policy.egress[place.rule]?.to?.[place.peer];
  if (place === undefined || peer?.kind !== "ipBlock") {
    return undefined;
  }
  const registered = SPECIAL_PURPOSE_BLOCKS.map(({ cidr }) => cidr).filter((cidr) =>
    notGloballyReachable(cidr.family).some((block) => contains(block, cidr)),
  );
  const fitting = [...registered, ...vpcCidrs]
    .filter((block) => contains(peer.cidr, block) && block.prefixLength > peer.cidr.prefixLength)
    .sort((a, b) => a.prefixLength - b.prefixLength);
  const blocks = rangeSet(boxes.map(({ range }) => range)).flatMap((range) => {
    const around = fitting.find((block) => contains(block, range));
    const inside = fitting.filter((block) => contains(range, block));
    return around === undefined
      ? rangeSet(inside).length === 1 && isSame(rangeSet(inside)[0], range)
        ? outermost(inside)
        : cidrsOf(range)
      : [around];
  });
  return { place, action: "add", blocks: distinct(blocks) };
}

function isSame(a: { first: bigint; last: bigint } | undefined, b: { first: bigint; last: bigint }): boolean {
  return a?.first === b.first && a.last === b.last;
}

/** Without those inside another; the widest come first. */
function outermost(blocks: readonly Cidr[]): Cidr[] {
  return blocks.filter((block, index) => !blocks.slice(0, index).some((wider) => contains(wider, block)));
}

function distinct(blocks: readonly Cidr[]): Cidr[] {
  return [...new Map(blocks.map((block) => [cidrKey(block), block])).values()];
}

function withEdit(read: ReadPolicy, { place, action, blocks }: ExceptEdit): ReadPolicy | undefined {
  const keys = new Set(blocks.map(cidrKey));
  let isChanged = false;
  const egress = read.policy.egress.map((rule, ruleIndex) => ({
    ...rule,
    to: rule.to?.map((peer, peerIndex) => {
      if (ruleIndex !== place.rule || peerIndex !== place.peer || peer.kind !== "ipBlock") {
        return peer;
      }
      const kept = peer.excepts.filter((except) => !keys.has(cidrKey(except)));
      const fits = blocks.every((block) => contains(peer.cidr, block) && block.prefixLength > peer.cidr.prefixLength);
      isChanged = action === "drop" ? kept.length < peer.excepts.length : fits;
      return { ...peer, excepts: action === "drop" ? kept : [...kept, ...blocks] };
    }),
  }));
  return isChanged ? { ...read, policy: { ...read.policy, egress } } : undefined;
}

/** Whether a changed policy makes something right and nothing wrong. */
function improves(situation: Situation, policy: ReadPolicy, changed: ReadPolicy): boolean {
  const swap = (each: ReadPolicy) => (each === policy ? changed : each);
  const [before, after] = [
    wrongs(situation),
    wrongs({
      ...situation,
      groupReaches: new GroupReaches(situation.declaration.cluster),
      groups: {
        ...situation.groups,
        groups: situation.groups.groups.map((group) => ({
          ...group,
          policies: {
            ...group.policies,
            plan: group.policies.plan.map(swap),
          },
        })),
      },
    }),
  ];
  const isBetter = [...before.keys()].some((key) => {
    const left = after.get(key);
    return left === undefined || (before.get(key) ?? []).some((box) => !isCovered(box, left));
  });
  return (
    isBetter &&
    [...after].every(([key, boxes]) => before.has(key) && boxes.every((box) => isCovered(box, before.get(key) ?? [])))
  );
}

/** What is wrong with a plan as it is, which every edit is compared with. */
const KNOWN = new WeakMap<Situation["groupReaches"], Map<string, readonly ChangeBox[]>>();

/** What is wrong with a plan, by guardrail, group of runners and semantics: regions, or none where it has no region. */
function wrongs(situation: Situation): Map<string, readonly ChangeBox[]> {
  const { declaration, groupReaches } = situation;
  const known = KNOWN.get(groupReaches);
  if (known !== undefined) {
    return known;
  }
  const found = new Map<string, readonly ChangeBox[]>();
  KNOWN.set(groupReaches, found);
  const note = (key: string, boxes: readonly ChangeBox[]) => boxes.length > 0 && found.set(key, boxes);
  for (const [index, reach] of allReaches(situation).entries()) {
    for (const key of hazardKeys(reach, declaration)) {
      found.set(`hazard ${index} ${key}`, []);
    }
    if (isLoaded(reach)) {
      note(`endpoints ${index}`, openEndpoints(declaration, reach));
      note(`private ${index}`, undeclaredBoxes(declaration, reach));
      for (const requirement of requirements(declaration)) {
        note(`lost ${index} ${requirement.name}`, lostBoxes(reach, requirement));
      }
    }
  }
  return found;
}
