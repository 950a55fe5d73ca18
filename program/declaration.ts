import { parseCidr } from "../analysis/cidr.ts";
import type { Declaration, DeclarationSource, Destination, PublicReach } from "../guardrails/declaration.ts";
import type { InternetDestination, RunnerContract, ServiceDestination } from "../runner/contract.ts";
import type { NetworkFacts } from "../runner/networkFacts.ts";
import type { MustReach } from "./config/mustReach.ts";

/** What else a declaration may say than a contract and facts. */
export interface DeclarationParts {
  /** Default: nothing beyond the contract. */
  readonly mustReach?: MustReach;
  /** Default: it was derived. */
  readonly source?: DeclarationSource;
  /** Default: not judged. */
  readonly cluster?: Pick<Declaration["cluster"], "agentVersion" | "otherFamilyEgress">;
}

/** What a contract means in a network, for the guardrails. The contract has to fit the network. */
export function declarationOf(
  contract: RunnerContract,
  facts: NetworkFacts,
  { mustReach = { endpoints: [] }, source, cluster = {} }: DeclarationParts = {},
): Declaration {
  const { policyName, namespace, podLabels, services, database, cidrs, internet } = contract;
  const publicReach = publicReachOf(internet);
  const databaseCidrs = facts.databaseSubnets.flatMap(({ cidrs }) => cidrs).map(parseCidr);
  const destinations = [
    ...services.map((service) =>
      destination(service, { pods: [{ namespace: service.namespace, labels: service.podLabels }] }),
    ),
    ...(database === undefined
      ? []
      : [destination({ name: "database", ...database }, { cidrs: databaseCidrs, isRecorded: true })]),
    ...cidrs.map((blocks) => destination(blocks, { cidrs: blocks.cidrs.map(parseCidr) })),
  ];
  return {
    ...(source && { source }),
    runner: { namespaces: [namespace], labels: podLabels },
    policies: [`${namespace}/${policyName}`],
    cluster: { ipFamily: facts.cluster.ipFamily, ...cluster },
    vpcCidrs: [...facts.vpc.ipv4Cidrs, ...facts.vpc.ipv6Cidrs].map(parseCidr),
    destinations,
    internet: mustReach.internet ?? requiredPorts(internet),
    endpoints: mustReach.endpoints,
    ...(publicReach && { publicReach }),
  };
}

function destination(
  { name, ports, required = true }: Pick<ServiceDestination, "name" | "ports" | "required">,
  where: Partial<Pick<Destination, "cidrs" | "pods" | "isRecorded">>,
): Destination {
  return { name, cidrs: [], pods: [], ports, required, ...where };
}

function requiredPorts(internet: InternetDestination | undefined): Declaration["internet"] {
  if (internet === undefined || internet.required === false) {
    return [];
  }
  return internet.ports ?? "every-port";
}

/** `undefined` where all of the internet is meant, on every port. */
function publicReachOf(internet: InternetDestination | undefined): PublicReach | "none" | undefined {
  if (internet === undefined) {
    return "none";
  }
  const { ports, blocks, except = [] } = internet;
  return ports === undefined && blocks === undefined && except.length === 0
    ? undefined
    : {
        ports: ports ?? "every-port",
        ...(blocks && { blocks: blocks.map(parseCidr) }),
        except: except.map(parseCidr),
      };
}
