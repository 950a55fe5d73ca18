import {
  type Divergence,
  type DivergenceShape,
  formatCidr,
  formatPoint,
  formatReference,
  type PodHazard,
  parsePolicyCidr,
  podHazards,
  policyId,
  type Reference,
  referenceTo,
} from "../analysis/index.ts";
import { LONGEST_POLICY_NAME } from "../runner/contract.ts";
import { formatBox, placeOf } from "./finding.ts";
import { isRead, type ReadPolicy } from "./plannedPolicy.ts";
import { type RunnerReach, selecting } from "./policySet.ts";
import { blockPeerAt, type ExceptEdit, exceptingEdit, triedEdit } from "./repairs.ts";
import { allReaches, type Situation } from "./situation.ts";
import type { Objection } from "./violation.ts";
import { hazardsOf } from "./wrongReach.ts";

/** Shapes that policies alone can have: nothing is known here of nodes and Services. */
type PolicyShape = Exclude<DivergenceShape, `node-${string}` | `service-${string}` | "other-family-not-enforced">;

/** What a shape is called and what helps. */
const SHAPES: Readonly<Record<PolicyShape, readonly [name: string, fix: string]>> = {
  "same-cidr-except": [
    "an except bleeds into another rule with the same block",
    "give the other rule a peer of its own (a selector or a narrower block) instead of the same block or no `to`.",
  ],
  "except-of-another-rule": [
    "an except punches a hole into another rule",
    "make the other rule's blocks exactly as narrow as the except leaves them.",
  ],
  "shared-first-address": [
    "a block shares its first address with an except and does not inherit the ports around it",
    "repeat the wider rule's ports for that block, or split it so that no part shares the except's first address.",
  ],
  "inherited-through-intermediate": [
    "a block inherits ports through the block around it",
    "except the intermediate block too, or drop the rule for it: no rule's block may lie between another rule's block and its except.",
  ],
  "every-port-leak": [
    "the agent opens every port of blocks inside 0.0.0.0/0",
    "update vpc-cni to 1.20.1 or later (agent 1.2.4).",
  ],
  "slot-overflow": [
    "a block has more than 24 port entries, and which are kept is random",
    "use port ranges (endPort), or split the ports among blocks that do not contain each other.",
  ],
  "key-collision": ["two blocks are written to one map key", "except other blocks of that family."],
  "other-family-except": [
    "an except of the other address family denies addresses of this one",
    "remove the block of that family with its except: the cluster's pods have no addresses of it.",
  ],
  "other-family-except-aborts": [
    "the agent cannot load the policy and keeps what was loaded before",
    "remove the block of the other address family with its except: the cluster's pods have no addresses of it.",
  ],
  "policy-types-ignored": [
    "the controller applies egress rules although policyTypes lack Egress",
    'set policyTypes to ["Egress"], or remove the egress rules.',
  ],
  "unreadable-block": [
    "the agent cannot read a block as it is written, and loads nothing of the policy",
    "write the block as it is read: without leading zeros, and an IPv4 block as IPv4.",
  ],
  "ipv6-prefix-32": ["the agent passes over an IPv6 block of /32", "allow its two halves, which are /33."],
  "named-port-without-to": ["the agent drops port names of a rule without `to`", "write the port's number."],
  unclassified: ["the agent enforces something else", "rewrite the rules so that their blocks do not overlap."],
};

/** Guardrail 5: nothing that the VPC CNI enforces otherwise than written, and no shape that it drops. */
export function eksHazards(situation: Situation): Objection[] {
  const { runners, plan, scope } = situation;
  const policies = new Set(runners.flatMap((runner) => selecting(plan, runner).filter(isRead)));
  return [
    ...[...policies].flatMap(ofOnePolicy),
    ...allReaches(situation).flatMap((reach) => reachHazards(situation, reach, worstOfEachShape)),
    ...(scope === "plan" ? ofCluster(situation) : []),
  ];
}

/** What can be seen in one policy alone: blocks that are written loosely, a long name, ports that no address has. */
function ofOnePolicy({ policy, planned: { resource } }: ReadPolicy): Objection[] {
  const { name, egress, warnings } = policy;
  const id = policyId(policy);
  const at = (rule: number | undefined, witness: string, what: string, fix: string): Objection => ({
    resource,
    policy: id,
    rule,
    witness,
    message: `NetworkPolicy ${id}: ${what}`,
    fix,
  });
  return [
    ...warnings.flatMap(({ where, value, reason }) => {
      const [, rule] = /^spec\.egress\[(\d+)\]/.exec(where) ?? [];
      const text = String(value);
      const block = formatCidr(parsePolicyCidr(text).cidr);
      return rule === undefined
        ? []
        : [at(Number(rule), text, `${where} is ${text}, which ${reason}.`, `write ${block}.`)];
    }),
    ...(name.length > LONGEST_POLICY_NAME
      ? [
          at(
            undefined,
            name,
            `its name has ${name.length} characters; beyond ${LONGEST_POLICY_NAME} the agent looks for a policy of another name.`,
            `use at most ${LONGEST_POLICY_NAME} characters.`,
          ),
        ]
      : []),
    ...egress.flatMap(({ to, ports }, rule) => {
      const names = (ports ?? []).flatMap(({ name }) => name ?? []);
      const onAddresses = to === undefined || to.some(({ kind }) => kind === "ipBlock");
      const what = `rule ${rule} (spec.egress[${rule}]) names port "${names.join('", "')}" for addresses, which have no port names; the controller drops it.`;
      return names.length > 0 && onAddresses ? [at(rule, `port "${names[0]}"`, what, "write the port's number.")] : [];
    }),
  ];
}

/** One cause often befalls all pods, so one of them is enough to say it. */
function worstOfEachShape(hazards: readonly PodHazard[]): PodHazard[] {
  return [...Map.groupBy(hazards, ({ shape }) => shape).values()].flatMap(([worst]) => worst ?? []);
}

/**
 * What the agent makes of the policies of a reach, on addresses and on pods by label.
 *
 * @param told Which hazards of pods are told. Default: all.
 */
export function reachHazards(
  situation: Situation,
  reach: RunnerReach,
  told: (hazards: readonly PodHazard[]) => readonly PodHazard[] = (hazards) => hazards,
): Objection[] {
  return [
    ...[...hazardsOf(reach).values()].map((same) => ofDivergences(situation, reach, same)),
    ...told(podHazards(reach.analysis, situation.declaration.vpcCidrs)).map(({ shape, pods, what, rules }) => {
      const [name, fix] = SHAPES[shape];
      const places = [...new Set(rules.map(formatReference))];
      return {
        ...placeOf(reach, rules[0]),
        witness: pods,
        message: `${shape}: ${name}. On EKS ${pods} ${what}: ${places.join(", ")}.`,
        fix,
      };
    }),
  ];
}

/** What to say about divergences of one cause. */
function ofDivergences(situation: Situation, reach: RunnerReach, same: readonly Divergence[]): Objection {
  const first = same[0] as Divergence;
  const { shape, direction, witness, explanations } = first;
  const { before, after } = explanations;
  const [name, fix] = SHAPES[shape as PolicyShape] ?? SHAPES.unclassified;
  const refused = refusedBy(reach);
  const by = refused.length === 0 ? "" : ` Refused: ${refused.map(formatReference).join(", ")}.`;
  const more = same.length > 1 ? ` and ${same.length - 1} more` : "";
  return {
    ...placeOf(reach, refused[0] ?? after.allowedBy[0] ?? after.exceptedBy[0] ?? before.allowedBy[0]),
    witness: formatPoint(witness),
    message: `${direction}, ${shape}: ${name}.${by} As specified, ${before.text} As enforced by the VPC CNI, ${after.text} Region: ${formatBox(first)}${more}.`,
    fix: fixOf(situation, reach, same) ?? fix,
  };
}

/** What the agent refuses to load. */
function refusedBy({ analysis }: RunnerReach): Reference[] {
  return analysis.aborts.map(({ term, except }) => referenceTo(analysis, term, { except }));
}

/** Shapes that dropping an `except` cures, if nothing else is lost by it. */
const OF_AN_EXCEPT: readonly DivergenceShape[] = [
  "except-of-another-rule",
  "key-collision",
  "other-family-except",
  "other-family-except-aborts",
];

/**
 * What cures hazards of one cause, tried: without the `except` that denies, or with one more in the rule that allows there.
 */
function fixOf(situation: Situation, reach: RunnerReach, same: readonly Divergence[]): string | undefined {
  const { shape, explanations } = same[0] as Divergence;
  if (!OF_AN_EXCEPT.includes(shape)) {
    return undefined;
  }
  const refused = refusedBy(reach);
  const places = refused.length > 0 ? refused : explanations.after.exceptedBy;
  const drops = Map.groupBy(places, ({ policyIndex, rule, peer }) => `${policyIndex} ${rule} ${peer}`);
  const edits = [...drops.values()].map((own): ExceptEdit => {
    const place = own[0] as Reference;
    const excepts = blockPeerAt(reach, place)?.excepts ?? [];
    return { place, action: "drop", blocks: own.flatMap(({ except = -1 }) => excepts[except] ?? []) };
  });
  for (const edit of [...edits, exceptingEdit(situation, reach, same, explanations.before.allowedBy[0])]) {
    const text = triedEdit(situation, reach, edit);
    if (text !== undefined) {
      return `${text}.`;
    }
  }
  return undefined;
}

/** What the cluster leaves open beside every policy, now or after this plan. */
function ofCluster({ declaration: { cluster }, switches }: Situation): Objection[] {
  const off = switches.map(({ resource, what, fix }) => ({
    resource,
    message: `nothing enforces NetworkPolicies after this: ${what}.`,
    fix,
  }));
  const [other, setting, witness] =
    cluster.ipFamily === "ipv4"
      ? ["IPv6", "ENABLE_V6_EGRESS", "[fd00:ec2::254]:80/tcp"]
      : ["IPv4", "ENABLE_V4_EGRESS", "169.254.169.254:80/tcp"];
  const message = `the pods send ${other} through an interface to which no policy is applied (${setting}), the metadata service included.`;
  const fix = `set ${setting} to "false" in the configuration of the vpc-cni add-on.`;
  return cluster.otherFamilyEgress === true ? [...off, { witness, message, fix }] : off;
}
