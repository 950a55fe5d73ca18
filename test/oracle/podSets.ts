import type { LabelSelector, NetworkPolicy, Peer, PortProtocol } from "./policy.ts";
import { isolatesEgress, matches } from "./selection.ts";

/**
 * Pods by label, judged one by one. Selectors can tell pods apart only by the labels that they name, and by their values
 * or any other; so the pods below are all the kinds of pods that there are, and each is judged by the words of the API
 * reference.
 */

type Labels = Readonly<Record<string, string>>;

/** One kind of pod: its own labels and those of its namespace. */
export interface PodWorld {
  readonly namespace: Labels;
  readonly pod: Labels;
}

/** A value that no policy names. */
const OTHER = "some-other-value";

/** The label that names a namespace; the API server puts it on each. */
const NAME = "kubernetes.io/metadata.name";

/** Every kind of pod that the policies can tell apart. */
export function podWorlds(policies: readonly NetworkPolicy[]): PodWorld[] {
  const peers = policies.flatMap(({ spec }) => (spec?.egress ?? []).flatMap(({ to }) => to ?? []));
  const pods = labelings(
    peers.flatMap(({ podSelector }) => podSelector ?? []),
    {},
  );
  const names = policies.map(({ metadata }) => metadata?.namespace ?? "default");
  const namespaces = labelings(
    peers.flatMap(({ namespaceSelector }) => namespaceSelector ?? []),
    { [NAME]: names },
  );
  return namespaces.flatMap((namespace) => pods.map((pod) => ({ namespace, pod })));
}

/**
 * Whether policies that all select the sender allow a port of a pod.
 *
 * @param port a number that no container port has a name for, or a name
 */
export function allowsPod(
  policies: readonly NetworkPolicy[],
  world: PodWorld,
  protocol: PortProtocol,
  port: number | string,
): boolean {
  const isolating = policies.filter(isolatesEgress);
  return (
    isolating.length === 0 ||
    isolating.some(({ metadata, spec }) =>
      (spec?.egress ?? []).some(
        ({ to = [], ports = [] }) =>
          (to.length === 0 || to.some((peer) => matchesPeer(peer, metadata?.namespace ?? "default", world))) &&
          (ports.length === 0 ||
            ports.some(
              (entry) =>
                (entry.protocol ?? "TCP") === protocol &&
                (entry.port === undefined ||
                  entry.port === port ||
                  (typeof entry.port === "number" &&
                    typeof port === "number" &&
                    entry.port <= port &&
                    port <= (entry.endPort ?? entry.port))),
            )),
      ),
    )
  );
}

function matchesPeer({ ipBlock, podSelector, namespaceSelector }: Peer, home: string, { namespace, pod }: PodWorld) {
  return (
    ipBlock === undefined &&
    (namespaceSelector === undefined ? namespace[NAME] === home : matches(namespaceSelector, namespace)) &&
    matches(podSelector ?? {}, pod)
  );
}

/** All combinations of the labels that selectors name; those of `always` are never absent. */
function labelings(selectors: readonly LabelSelector[], always: Readonly<Record<string, readonly string[]>>): Labels[] {
  const values = new Map(Object.entries(always).map(([key, known]) => [key, new Set(known)]));
  const add = (key: string, named: readonly string[]) => {
    const known = values.get(key) ?? new Set();
    values.set(key, known);
    for (const value of named) {
      known.add(value);
    }
  };
  for (const { matchLabels = {}, matchExpressions = [] } of selectors) {
    for (const [key, value] of Object.entries(matchLabels)) {
      add(key, [value]);
    }
    for (const { key, values: named = [] } of matchExpressions) {
      add(key, named);
    }
  }
  let found: Labels[] = [{}];
  for (const [key, known] of values) {
    const choices = [...known, OTHER].map((value) => ({ [key]: value }));
    const all: Labels[] = key === NAME ? choices : [{}, ...choices];
    found = found.flatMap((labels) => all.map((more) => ({ ...labels, ...more })));
  }
  return found;
}
