import { type Address, BITS, holds, readAddress, readBlock } from "./addresses.ts";
import type { Case } from "./arbitraries.ts";
import { kubernetesVerdictAt } from "./kubernetes.ts";
import { type NetworkPolicy, PORT_PROTOCOLS, type Protocol } from "./policy.ts";
import { isolatesEgress, selecting } from "./selection.ts";
import { longestKey, type VpcCniPod } from "./vpcCni.ts";
import { isSkipped, keyOf } from "./vpcCniAgent.ts";
import { type EmittedRule, emittedRules } from "./vpcCniController.ts";

/**
 * Why a current agent and Kubernetes disagree about a point: the classes seen when the agent's real compiler was compared
 * with a plain evaluator (2026-11), and four more that follow from what the comparison did not vary.
 */
export const DIVERGENCES = [
  "inherited through an intermediate block",
  "node address",
  "except of a rule with the same CIDR",
  "except of another rule",
  "narrower rule inside an except of a same-CIDR rule",
  "narrower rule that shares its first address with an except",
  "except of the other family",
  "node address excepted",
  "slot overflow",
  // The comparison had no rule at the node's own address, no IPv6 /32 around another rule and isolating policies only.
  "rule at the node's address is skipped",
  "IPv6 /32 gives no ports away",
  "policyTypes ignored",
  "frames of the other family pass",
] as const;

export type Divergence = (typeof DIVERGENCES)[number];

/** The class of a disagreement; `undefined` if no class explains it, which the model of either side must then answer for. */
export function classify(
  subject: Case,
  pod: VpcCniPod,
  address: Address,
  protocol: Protocol,
  port: number,
): Divergence | undefined {
  if (address.family !== subject.ipFamily) {
    return "frames of the other family pass";
  }
  const selected = selecting(subject.policies, subject.source);
  if (selected.some((policy) => !isolatesEgress(policy) && (policy.spec?.egress ?? []).length > 0)) {
    return "policyTypes ignored";
  }
  const isNode = subject.nodeIp !== undefined && readAddress(subject.nodeIp).value === address.value;
  const key = longestKey(pod.map ?? [], address);
  const rules = emittedRules(selected);
  const excepting = rules.filter(({ except }) => except.some((text) => isKey(text)));
  function isKey(text: string): boolean {
    const image = keyOf(readBlock(text), subject.ipFamily);
    return image.first === key?.block.first && image.prefixLength === key.block.prefixLength;
  }
  const foreign = excepting.some(({ except }) =>
    except.some((text) => isKey(text) && readBlock(text).family !== subject.ipFamily),
  );
  const verdict = pod.verdictAt(address, protocol, port);
  if (verdict === "order-dependent") {
    return foreign ? "except of the other family" : "slot overflow";
  }
  if (verdict === "allow") {
    if (isNode && key?.block.prefixLength === BITS[subject.ipFamily]) {
      return "node address";
    }
    return key === undefined ? undefined : inheritedThrough(rules, key.block, address);
  }
  return overDenied(rules, { isNode, foreign, excepting });

  function overDenied(
    rules: readonly EmittedRule[],
    seen: { readonly isNode: boolean; readonly foreign: boolean; readonly excepting: readonly EmittedRule[] },
  ): Divergence | undefined {
    const allowing = rules.filter((rule) => allows(rule, address, protocol, port));
    if (seen.isNode && seen.excepting.length > 0) {
      return "node address excepted";
    }
    if (seen.foreign) {
      return "except of the other family";
    }
    for (const rule of allowing) {
      if (isSkipped(rule, subject)) {
        return "rule at the node's address is skipped";
      }
      const isEntry = rules.some((other) => isKey(other.cidr) && !isSkipped(other, subject));
      if (!isEntry) {
        return seen.excepting.some(({ cidr }) => cidr === rule.cidr)
          ? "except of a rule with the same CIDR"
          : seen.excepting.length > 0
            ? "except of another rule"
            : undefined;
      }
      const start = { family: address.family, value: key?.block.first ?? 0n };
      const joined = rules.filter(({ cidr }) => cidr === rule.cidr).flatMap(({ except }) => except);
      const around = joined.map(readBlock).filter((except) => holds(except, start));
      if (around.some((except) => !holds(except, address))) {
        return "narrower rule that shares its first address with an except";
      }
      if (around.length > 0) {
        return "narrower rule inside an except of a same-CIDR rule";
      }
      if (rule.cidr.endsWith("/32")) {
        return "IPv6 /32 gives no ports away";
      }
    }
    return undefined;
  }
}

/** Some rule's ports come to the entry although the rule excepts the point: only by way of a block between the two. */
function inheritedThrough(
  rules: readonly EmittedRule[],
  entry: ReturnType<typeof readBlock>,
  address: Address,
): Divergence | undefined {
  const start = { family: address.family, value: entry.first };
  const isBypassed = rules.some((outer) => {
    const joined = rules.filter(({ cidr }) => cidr === outer.cidr).flatMap(({ except }) => except);
    const around = joined.map(readBlock).filter((except) => holds(except, start));
    return around.some((except) =>
      rules.some(({ cidr }) => {
        const between = readBlock(cidr);
        return (
          holds(between, start) &&
          between.prefixLength > readBlock(outer.cidr).prefixLength &&
          between.prefixLength < entry.prefixLength &&
          between.prefixLength < except.prefixLength
        );
      }),
    );
  });
  return isBypassed ? "inherited through an intermediate block" : undefined;
}

function allows(rule: EmittedRule, address: Address, protocol: Protocol, port: number): boolean {
  const policy: NetworkPolicy = {
    spec: {
      policyTypes: ["Egress"],
      egress: [
        {
          to: [{ ipBlock: { cidr: rule.cidr, except: rule.except } }],
          ports: rule.ports.map((item) => ({
            protocol: item.protocol,
            ...(item.port === 0 ? {} : { port: item.port }),
            ...(item.endPort === 0 ? {} : { endPort: item.endPort }),
          })),
        },
      ],
    },
  };
  const isPortProtocol = PORT_PROTOCOLS.some((known) => known === protocol);
  return isPortProtocol && kubernetesVerdictAt([policy], undefined, address, protocol, port) === "allow";
}
