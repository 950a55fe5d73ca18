import {
  type Cidr,
  compile,
  type EgressAnalysis,
  type EgressRule,
  EVERYTHING,
  type NetworkPolicy,
  type Peer,
  type PolicyPort,
  SELECTED_BY_EVERY_POLICY,
} from "../analysis/index.ts";
import { NAMESPACE_NAME_LABEL } from "../analysis/inventory.ts";
import { publicInternet } from "./concern.ts";
import type { Declaration, DeclaredPods, DeclaredPorts, Destination, RequiredEndpoint } from "./declaration.ts";
import { selectorOf } from "./selection.ts";

/**
 * Declarations as NetworkPolicies, so that one exact comparison of policies answers every question about them. They are
 * read as Kubernetes specifies: what is declared has no `except`s and no quirks.
 */

/** The rule that allows exactly a destination. */
export function destinationRule({ cidrs, pods, ports }: Pick<Destination, "cidrs" | "pods" | "ports">): EgressRule {
  return { to: [...cidrs.map((cidr) => blockPeer(cidr)), ...pods.map(podPeer)], ports: ports.map(policyPort) };
}

/** The rule that allows the public internet on the ports that must stay reachable; `undefined` where none must. */
export function internetRule(declaration: Declaration): EgressRule | undefined {
  const { internet } = declaration;
  if (internet !== "every-port" && internet.length === 0) {
    return undefined;
  }
  return internetOn(declaration, internet === "every-port" ? undefined : internet);
}

/** The rules that allow exactly what is meant to be reachable, where public reach is judged too. */
export function declaredRules(declaration: Declaration): EgressRule[] {
  const { destinations, publicReach } = declaration;
  return [
    ...destinations.map(destinationRule),
    ...(publicReach === undefined || publicReach === "none"
      ? []
      : [internetOn(declaration, publicReach.ports === "every-port" ? undefined : publicReach.ports)]),
  ];
}

/** The rule that allows an endpoint; one without an address may be anywhere in the public internet. */
export function endpointRule(declaration: Declaration, { cidr, ports }: RequiredEndpoint): EgressRule {
  return cidr === undefined ? internetOn(declaration, [ports]) : { to: [blockPeer(cidr)], ports: [policyPort(ports)] };
}

/** What a set of rules allows, read as specified. Without rules: nothing. */
export function allowing(rules: readonly EgressRule[]): EgressAnalysis {
  return compile([declaredPolicy(rules)], { semantics: { name: "kubernetes" }, source: SELECTED_BY_EVERY_POLICY });
}

/** A policy of declared rules, to be joined with others. */
export function declaredPolicy(egress: readonly EgressRule[]): NetworkPolicy {
  return {
    name: "declared",
    namespace: "declared",
    podSelector: EVERYTHING,
    isolatesEgress: true,
    egress,
    warnings: [],
  };
}

function internetOn(declaration: Declaration, ports: readonly DeclaredPorts[] | undefined): EgressRule {
  return {
    to: publicInternet(declaration).map(({ cidr, excepts }) => blockPeer(cidr, excepts)),
    ports: ports?.map(policyPort),
  };
}

function blockPeer(cidr: Cidr, excepts: readonly Cidr[] = []): Peer {
  return { kind: "ipBlock", cidr, excepts };
}

function podPeer({ namespace, labels }: DeclaredPods): Peer {
  return {
    kind: "pods",
    namespaceSelector: selectorOf({ [NAMESPACE_NAME_LABEL]: namespace }),
    podSelector: selectorOf(labels),
  };
}

function policyPort({ protocol, range }: DeclaredPorts): PolicyPort {
  return { protocol, range };
}
