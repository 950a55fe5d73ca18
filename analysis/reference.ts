import { type Cidr, formatCidr } from "./cidr.ts";
import { type EgressRule, type NetworkPolicy, policyId } from "./networkPolicy.ts";
import type { EgressAnalysis } from "./normalForm.ts";
import { formatPodSet, namespaceNamed } from "./reach/podSets.ts";
import type { RulePlace } from "./terms.ts";

/** A place in a policy, as a person can find and fix it. */
export interface Reference {
  /** `namespace/name` of the policy. */
  readonly policy: string;
  /** Index of the policy among those analysed. */
  readonly policyIndex: number;
  /** Index in `spec.egress`. */
  readonly rule: number;
  /** Index in `to`; `undefined`: the rule has no `to`. */
  readonly peer: number | undefined;
  /** Index in `ports`; `undefined`: the whole peer, or the rule has no `ports`. */
  readonly port: number | undefined;
  /** Index in `except`; `undefined`: not about an `except`. */
  readonly except: number | undefined;
  /** Path in the object, such as `spec.egress[4].to[0].ipBlock.except[2]`. */
  readonly path: string;
  /** What stands there: `0.0.0.0/0`, `pods app=web in namespace x`, `except 10.0.0.0/8`. */
  readonly what: string;
  /** Under `vpc-cni`: the wider block whose map entry passed the permission on. */
  readonly through: Cidr | undefined;
}

/** What to point at besides the peer. */
export interface ReferenceDetail {
  readonly port?: number | undefined;
  readonly except?: number | undefined;
  readonly through?: Cidr | undefined;
}

/** Points at a rule, or at a peer, a port entry or an `except` of it. */
export function referenceTo(analysis: EgressAnalysis, place: RulePlace, detail: ReferenceDetail = {}): Reference {
  const policy = analysis.policies[place.policy] as NetworkPolicy;
  const rule = policy.egress[place.rule] as EgressRule;
  const peer = place.peer === undefined ? undefined : rule.to?.[place.peer];
  const to = place.peer === undefined ? "" : `.to[${place.peer}]`;
  const tail = detail.except === undefined ? "" : `.ipBlock.except[${detail.except}]`;
  let what = "every destination";
  if (peer?.kind === "ipBlock") {
    const except = detail.except === undefined ? undefined : peer.excepts[detail.except];
    what = except === undefined ? formatCidr(peer.cidr) : `except ${formatCidr(except)}`;
  } else if (peer?.kind === "pods") {
    const { podSelector, namespaceSelector = namespaceNamed(policy.namespace) } = peer;
    what = formatPodSet({ podSelector, namespaceSelector });
  }
  return {
    policy: policyId(policy),
    policyIndex: place.policy,
    rule: place.rule,
    peer: place.peer,
    port: detail.port,
    except: detail.except,
    path: `spec.egress[${place.rule}]${to}${tail}`,
    what,
    through: detail.through,
  };
}

/** `rule 4 of keeperhub/runner (0.0.0.0/0, spec.egress[4].to[0])`. */
export function formatReference({ policy, rule, what, path, through }: Reference): string {
  const via = through === undefined ? "" : `, passed on by the map entry of ${formatCidr(through)}`;
  return `rule ${rule} of ${policy} (${what}, ${path}${via})`;
}
