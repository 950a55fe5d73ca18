import {
  type Divergence,
  type DivergenceShape,
  formatPoint,
  formatReference,
  podHazards,
  policyId,
  type Reference,
  referenceTo,
} from "../analysis/index.ts";
import { formatBox } from "./boxes.ts";
import { otherFamily } from "./concern.ts";
import { placeOf } from "./finding.ts";
import type { ReadPolicy } from "./plannedPolicy.ts";
import { type Reach, selecting } from "./policySet.ts";
import { exceptingEdit, triedEdit } from "./repairs.ts";
import { allReaches, type Situation } from "./situation.ts";
import type { GuardrailName, Violation } from "./violation.ts";
import { hazardsOf } from "./wrongReach.ts";

/** Longest name for which controller and agent agree on the policy (EKS facts, 2026-08). */
const LONGEST_NAME = 57;

/** What a shape is called and what helps. */
const SHAPES: Readonly<Partial<Record<DivergenceShape, readonly [name: string, fix: string]>>> = {
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
};

/** Guardrail 5: nothing that the VPC CNI enforces otherwise than written, and no shape that it drops. */
export function eksHazards(situation: Situation): Violation[] {
  const { runners, plan } = situation;
  const shapes = new Set(runners.flatMap((runner) => selecting(plan, runner).read));
  return [
    ...[...shapes].flatMap(shapeHazards),
    ...allReaches(situation).flatMap((reach) => reachHazards("eks-hazards", situation, reach)),
    ...(situation.scope === "plan" ? clusterHazards(situation) : []),
  ];
}

/** What can be seen in one policy alone: host bits, a long name, ports that no address has. */
export function shapeHazards({ policy, planned, looseCidrs }: ReadPolicy): Violation[] {
  const id = policyId(policy);
  const at = (rule: number | undefined, witness: string, message: string, fix: string): Violation => ({
    guardrail: "eks-hazards",
    resource: planned.resource,
    policy: id,
    rule,
    witness,
    message: `NetworkPolicy ${id}: ${message}`,
    fix,
  });
  const loose = looseCidrs.map(({ path, rule, text, canonical }) =>
    at(
      rule,
      text,
      `${path} is ${text}, with bits set after the prefix; agents before 1.4.2 enforce it at random, and newer API servers refuse it.`,
      `write ${canonical}.`,
    ),
  );
  const longName =
    policy.name.length > LONGEST_NAME
      ? [
          at(
            undefined,
            policy.name,
            `its name has ${policy.name.length} characters; beyond ${LONGEST_NAME} the agent looks for a policy of another name.`,
            `use at most ${LONGEST_NAME} characters.`,
          ),
        ]
      : [];
  const named = policy.egress.flatMap(({ to, ports }, rule) => {
    const names = (ports ?? []).flatMap(({ name }) => name ?? []);
    const onAddresses = to === undefined || to.some(({ kind }) => kind === "ipBlock");
    return names.length === 0 || !onAddresses
      ? []
      : [
          at(
            rule,
            `port "${names[0]}"`,
            `rule ${rule} (spec.egress[${rule}]) names port "${names.join('", "')}" for addresses, which have no port names; the controller drops it.`,
            "write the port's number.",
          ),
        ];
  });
  return [...loose, ...longName, ...named];
}

/** What the agent makes of the policies of a reach, on addresses and on pods by label. */
export function reachHazards(guardrail: GuardrailName, situation: Situation, reach: Reach): Violation[] {
  return [
    ...divergenceHazards(guardrail, situation, reach),
    ...podHazards(reach.analysis, situation.declaration.vpcCidrs).map(({ shape, pods, what, rules }): Violation => {
      const [name, fix] = SHAPES[shape] as readonly [string, string];
      const places = [...new Set(rules.map(formatReference))];
      return {
        guardrail,
        ...placeOf(reach, rules[0]),
        witness: pods,
        message: `${shape}: ${name}. On EKS ${pods} ${what}: ${places.join(", ")}.`,
        fix,
      };
    }),
  ];
}

function divergenceHazards(guardrail: GuardrailName, situation: Situation, reach: Reach): Violation[] {
  return [...hazardsOf(reach).values()].map((same) => {
    const first = same[0] as Divergence;
    const { shape, direction, witness, explanations } = first;
    const { before, after } = explanations;
    const [name, fix] = SHAPES[shape] ?? [shape, "rewrite the rules so that their blocks do not overlap."];
    const refused = reach.analysis.aborts.map(({ term, except }) => referenceTo(reach.analysis, term, { except }));
    const by = refused.length === 0 ? "" : ` Refused: ${refused.map(formatReference).join(", ")}.`;
    const more = same.length > 1 ? ` and ${same.length - 1} more` : "";
    return {
      guardrail,
      ...placeOf(reach, refused[0] ?? after.allowedBy[0] ?? after.exceptedBy[0] ?? before.allowedBy[0]),
      witness: formatPoint(witness),
      message: `${direction}, ${shape}: ${name}.${by} As specified, ${before.text} As enforced by the VPC CNI, ${after.text} Region: ${formatBox(first)}${more}.`,
      fix: fixOf(situation, reach, same) ?? fix,
    };
  });
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
function fixOf(situation: Situation, reach: Reach, same: readonly Divergence[]): string | undefined {
  const [
    {
      shape,
      explanations: { before, after },
    },
  ] = same as [Divergence];
  if (!OF_AN_EXCEPT.includes(shape)) {
    return undefined;
  }
  const refused = reach.analysis.aborts.map(({ term, except }) => referenceTo(reach.analysis, term, { except }));
  const places = refused.length > 0 ? refused : after.exceptedBy;
  const drops = Map.groupBy(places, ({ policyIndex, rule, peer }) => `${policyIndex} ${rule} ${peer}`);
  for (const own of drops.values()) {
    const [place] = own as [Reference];
    const peer =
      place.peer === undefined
        ? undefined
        : reach.policies[place.policyIndex]?.policy.egress[place.rule]?.to?.[place.peer];
    const blocks =
      peer?.kind === "ipBlock"
        ? own.flatMap(({ except }) => (except === undefined ? [] : (peer.excepts[except] ?? [])))
        : [];
    const text = triedEdit(situation, reach, { place, action: "drop", blocks });
    if (text !== undefined) {
      return `${text}.`;
    }
  }
  const excepting = triedEdit(situation, reach, exceptingEdit(situation, reach, same, before.allowedBy[0]));
  return excepting && `${excepting}.`;
}

/** What the cluster leaves open beside every policy, now or after this plan. */
function clusterHazards({ declaration: { cluster }, switches }: Situation): Violation[] {
  const off = switches.map(
    ({ resource, what, fix }): Violation => ({
      guardrail: "eks-hazards",
      resource,
      policy: undefined,
      rule: undefined,
      witness: undefined,
      message: `nothing enforces NetworkPolicies after this: ${what}.`,
      fix,
    }),
  );
  if (cluster.otherFamilyEgress !== true) {
    return off;
  }
  const other = otherFamily(cluster.ipFamily) === "ipv4" ? "IPv4" : "IPv6";
  const setting = other === "IPv4" ? "ENABLE_V4_EGRESS" : "ENABLE_V6_EGRESS";
  return [
    ...off,
    {
      guardrail: "eks-hazards",
      resource: undefined,
      policy: undefined,
      rule: undefined,
      witness: other === "IPv4" ? "169.254.169.254:80/tcp" : "[fd00:ec2::254]:80/tcp",
      message: `the pods send ${other} through an interface to which no policy is applied (${setting}), the metadata service included.`,
      fix: `set ${setting} to "false" in the configuration of the vpc-cni add-on.`,
    },
  ];
}
