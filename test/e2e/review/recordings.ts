/** Parts of an event that are of no interest to a review, or differ from run to run, or are secrets of the lab. */
const DROPPED: ReadonlySet<string> = new Set([
  "stackTrace",
  "sourcePosition",
  "propertyDependencies",
  "managedFields",
  "timestamp",
  "duration",
  "durationSeconds",
  "resourceVersion",
  "creationTimestamp",
  "uid",
  "created",
  "modified",
]);

/** Makes what the engine printed fit for a recording: no debug lines, no provider, ids by order of appearance. */
export function recordable(stdout: string): string {
  const events = stdout
    .split("\n")
    .filter((line) => line.trim() !== "")
    .map((line) => JSON.parse(line))
    .filter((event) => event.diagnosticEvent?.severity !== "debug")
    .filter(
      (event) => !(event.resourcePreEvent ?? event.resOutputsEvent)?.metadata.type.startsWith("pulumi:providers:"),
    )
    .filter((event) => event.resOutputsEvent === undefined && event.cancelEvent === undefined);
  return stableIds(events.map((event) => `${JSON.stringify(prune(event))}\n`).join(""));
}

/** Replaces ids that AWS and the engine make up by numbers in order of appearance. */
export function stableIds(text: string): string {
  const known = new Map<string, string>();
  return text
    .replace(/\b(vpc|subnet)-([0-9a-f]{8,17}|\d+)\b/g, (id, kind: string) => {
      const number = [...known.values()].filter((name) => name.startsWith(`${kind}-`)).length + 1;
      const name = known.get(id) ?? `${kind}-${number}`;
      known.set(id, name);
      return name;
    })
    .replace(/resource-version-\d+/g, "resource-version-1")
    .replace(/pulumi-kubernetes-[0-9a-f]{8}/g, "pulumi-kubernetes-00000000");
}

function prune(value: unknown): unknown {
  if (Array.isArray(value)) {
    return value.map(prune);
  }
  if (typeof value === "object" && value !== null) {
    return Object.fromEntries(
      Object.entries(value).flatMap(([key, member]) => (DROPPED.has(key) ? [] : [[key, prune(member)]])),
    );
  }
  return value;
}
