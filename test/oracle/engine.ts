import {
  compile,
  countDiff,
  parseAddress,
  parseInventory,
  parseNetworkPolicies,
  Reach,
  SELECTED_BY_EVERY_POLICY,
  type Semantics,
  selects,
  verdict,
} from "../../analysis/index.ts";
import type { Counts } from "./count.ts";
import type { PodWorld } from "./podSets.ts";
import { type NetworkPolicy, PORT_PROTOCOLS, type Point, type PortProtocol, type Source } from "./policy.ts";
import type { AgentOptions } from "./vpcCniAgent.ts";

/** How the engine is asked to read policies. */
export type EngineOptions = { readonly semantics: "kubernetes" } | ({ readonly semantics: "vpc-cni" } & AgentOptions);

/** The engine under test, seen as the oracles are: plain JSON in, plain verdicts out. Nothing else here imports it. */
export function engineVerdicts(
  policies: readonly NetworkPolicy[],
  source: Source | undefined,
  points: readonly Point[],
  options: EngineOptions,
  objects?: readonly object[],
): { readonly aborts: boolean; readonly verdicts: readonly string[] } {
  const analysis = analysisOf(policies, source, options, objects);
  return {
    aborts: analysis.aborts.length > 0,
    verdicts: points.map(({ ip, protocol, port }) => verdict(analysis, { address: addressOf(ip), protocol, port })),
  };
}

/** What the engine says that a change opens and closes; a set that aborts the agent has no such number. */
export function engineChange(
  before: readonly NetworkPolicy[],
  after: readonly NetworkPolicy[],
  source: Source | undefined,
  options: EngineOptions,
): { readonly gained: Counts; readonly lost: Counts } {
  const [was, is] = [analysisOf(before, source, options), analysisOf(after, source, options)];
  const { gained, lost } = countDiff(was, is, PORT_PROTOCOLS);
  const pick = (counts: typeof gained): Counts => {
    const of = (family: keyof typeof gained) => {
      const { TCP = -1n, UDP = -1n, SCTP = -1n } = counts[family];
      return { TCP, UDP, SCTP };
    };
    return { ipv4: of("ipv4"), ipv6: of("ipv6") };
  };
  return { gained: pick(gained), lost: pick(lost) };
}

function analysisOf(
  policies: readonly NetworkPolicy[],
  source: Source | undefined,
  options: EngineOptions,
  objects?: readonly object[],
) {
  return compile(parseNetworkPolicies(policies), {
    semantics: semanticsOf(options),
    source: source ?? SELECTED_BY_EVERY_POLICY,
    ...(objects && {
      inventory: parseInventory(objects.map((object, index) => ({ object, path: `items[${index}]` }))),
    }),
  });
}

function semanticsOf(options: EngineOptions): Semantics {
  if (options.semantics === "kubernetes") {
    return { name: "kubernetes" };
  }
  return {
    name: "vpc-cni",
    ipFamily: options.ipFamily,
    ...(options.nodeIp === undefined ? {} : { nodeIp: addressOf(options.nodeIp) }),
    ...(options.agent === "legacy" ? { agentVersion: "1.2.3" } : {}),
    ...(options.agent === "textual" ? { agentVersion: "1.4.1" } : {}),
  };
}

function addressOf(text: string) {
  const address = parseAddress(text);
  if (address === undefined) {
    throw new RangeError(`"${text}" is not an address to the engine`);
  }
  return address;
}

/** Pods by label on which the engine says that a change opens ports, as a question that takes one pod and one port. */
export function enginePodGains(
  before: readonly NetworkPolicy[],
  after: readonly NetworkPolicy[],
): (pod: PodWorld, protocol: PortProtocol, port: number | string) => boolean {
  const [was, is] = [before, after].map((policies) =>
    Reach.of(analysisOf(policies, undefined, { semantics: "kubernetes" })),
  );
  const rows = (is as Reach).minus(was as Reach).pods;
  return ({ namespace, pod }, protocol, port) =>
    rows.some(
      ({ pods, protocols, ports }) =>
        selects(pods.namespaceSelector, namespace) &&
        selects(pods.podSelector, pod) &&
        protocols.includes(protocol) &&
        (typeof ports === "string" || typeof port === "string"
          ? ports === port
          : ports.from <= port && port <= ports.to),
    );
}
