import {
  type Cidr,
  cidrKey,
  cidrsOf,
  contains,
  formatCidr,
  type IpBlockPeer,
  leastSet,
  notGloballyReachable,
  Reach,
  type ReachBox,
  type Reference,
  rangeSet,
  SPECIAL_PURPOSE_BLOCKS,
  subtract,
} from "../analysis/index.ts";
import type { ReadPolicy } from "./plannedPolicy.ts";
import { peersAt, type RunnerReach } from "./policySet.ts";
import { distinct, MOST_VALUES } from "./remedies.ts";
import { type ReachesOf, reachesIn } from "./runnerGroups.ts";
import { allReaches, isLoaded, type Situation } from "./situation.ts";
import { wantedOf } from "./wanted.ts";
import { hazardKeys, openEndpoints, undeclared } from "./wrongReach.ts";

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

/** The block that a reference points at; `undefined` where it is none. */
export function blockPeerAt(reach: RunnerReach, place: Reference | undefined): IpBlockPeer | undefined {
  const peer = peersAt(reach, place)[place?.peer ?? -1];
  return peer?.kind === "ipBlock" ? peer : undefined;
}

/** `add 10.0.0.0/8 to the except of 0.0.0.0/0 (spec.egress[4].to[0] of ns/name)`; `undefined` where the edit does not help, or harms. */
export function triedEdit(situation: Situation, reach: RunnerReach, edit: ExceptEdit | undefined): string | undefined {
  const policy = edit && reach.policies[edit.place.policyIndex];
  const peer = blockPeerAt(reach, edit?.place);
  if (edit === undefined || policy === undefined || peer === undefined || !fits(edit, peer)) {
    return undefined;
  }
  const { rule, peer: index } = edit.place;
  const blocks = edit.blocks.map(formatCidr).join(", ");
  const where = `the except of ${formatCidr(peer.cidr)} (spec.egress[${rule}].to[${index}] of ${edit.place.policy})`;
  const text = edit.action === "add" ? `add ${blocks} to ${where}` : `drop ${blocks} from ${where}`;
  const tried = TRIED.get(situation.reachesOf) ?? new Map<string, boolean>();
  TRIED.set(situation.reachesOf, tried);
  const key = `${policy.planned.resource} ${text}`;
  const helps = tried.get(key) ?? improves(situation, policy, withEdit(policy, edit));
  tried.set(key, helps);
  return helps ? text : undefined;
}

function fits({ action, blocks }: ExceptEdit, { cidr }: IpBlockPeer): boolean {
  const isInside = (block: Cidr) => contains(cidr, block) && block.prefixLength > cidr.prefixLength;
  return blocks.length > 0 && blocks.length <= MOST_VALUES && (action === "drop" || blocks.every(isInside));
}

/** Whether an edit, by its resource and text, helps a plan. */
const TRIED = new WeakMap<ReachesOf, Map<string, boolean>>();

/** The edit that takes boxes out of the block that allows them: whole blocks of the registries and of the VPC where those fit. */
export function exceptingEdit(
  { declaration: { vpcCidrs } }: Situation,
  reach: RunnerReach,
  boxes: readonly Pick<ReachBox, "range">[],
  place: Reference | undefined,
): ExceptEdit | undefined {
  const peer = blockPeerAt(reach, place);
  if (place === undefined || peer === undefined) {
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
    return around !== undefined ? [around] : subtract([range], inside).length === 0 ? leastSet(inside) : cidrsOf(range);
  });
  return { place, action: "add", blocks: distinct(blocks) };
}

/** The policy with an edit that fits its block. */
function withEdit(read: ReadPolicy, { place, action, blocks }: ExceptEdit): ReadPolicy {
  const keys = new Set(blocks.map(cidrKey));
  const egress = read.policy.egress.map((rule, index) =>
    index !== place.rule
      ? rule
      : {
          ...rule,
          to: rule.to?.map((peer, index) => {
            if (index !== place.peer || peer.kind !== "ipBlock") {
              return peer;
            }
            const kept = peer.excepts.filter((except) => !keys.has(cidrKey(except)));
            return { ...peer, excepts: action === "drop" ? kept : [...kept, ...blocks] };
          }),
        },
  );
  return { ...read, policy: { ...read.policy, egress } };
}

/** Whether a changed policy makes something right and nothing wrong. */
function improves(situation: Situation, policy: ReadPolicy, changed: ReadPolicy): boolean {
  const groups = situation.groups.groups.map((group) => ({
    ...group,
    plan: { ...group.plan, policies: group.plan.policies.map((each) => (each === policy ? changed : each)) },
  }));
  const before = wrongs(situation);
  const after = wrongs({
    ...situation,
    reachesOf: reachesIn(situation.declaration.cluster),
    groups: { ...situation.groups, groups },
  });
  const holds = (some: typeof before, [key, reach]: [string, Reach]) => {
    const known = some.get(key);
    return known !== undefined && reach.minus(known).isEmpty;
  };
  return [...after].every((wrong) => holds(before, wrong)) && ![...before].every((wrong) => holds(after, wrong));
}

/** What is wrong with a plan as it is, which every edit is compared with. */
const KNOWN = new WeakMap<ReachesOf, Map<string, Reach>>();

/** What is wrong with a plan, by guardrail, group of runners and semantics; of a hazard, that it is there. */
function wrongs(situation: Situation): Map<string, Reach> {
  const { declaration, reachesOf } = situation;
  const known = KNOWN.get(reachesOf);
  if (known !== undefined) {
    return known;
  }
  const found = new Map<string, Reach>();
  KNOWN.set(reachesOf, found);
  const note = (key: string, reach: Reach) => reach.isEmpty || found.set(key, reach);
  for (const [index, reach] of allReaches(situation).entries()) {
    for (const key of hazardKeys(reach, declaration)) {
      found.set(`hazard ${index} ${key}`, NOTHING);
    }
    if (isLoaded(reach)) {
      note(`endpoints ${index}`, openEndpoints(declaration, reach));
      note(`private ${index}`, undeclared(declaration, reach));
      for (const requirement of wantedOf(declaration).requirements) {
        note(`lost ${index} ${requirement.name}`, requirement.reach.minus(reach.reach));
      }
    }
  }
  return found;
}

const NOTHING = Reach.over({});
