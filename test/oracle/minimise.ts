import type { Case } from "./arbitraries.ts";

/** Drops whatever can be dropped from a case while it still fails, until nothing more can. */
export function minimise(subject: Case, fails: (candidate: Case) => boolean): Case {
  for (const candidate of smaller(subject)) {
    if (fails(candidate)) {
      return minimise(candidate, fails);
    }
  }
  return subject;
}

function* smaller(subject: Case): Generator<Case> {
  const { source: _source, ...withoutSource } = subject;
  const { nodeIp: _nodeIp, ...withoutNode } = subject;
  yield* subject.source === undefined ? [] : [withoutSource];
  yield* subject.nodeIp === undefined ? [] : [withoutNode];
  yield* subject.agent === "current" ? [] : [{ ...subject, agent: "current" as const }];
  for (const policies of shorter(subject.policies)) {
    yield { ...subject, policies: policies as Case["policies"] };
  }
}

/** The same JSON value with one array element or one object member less, anywhere in it; larger parts go first. */
function* shorter(value: unknown): Generator<unknown> {
  if (Array.isArray(value)) {
    for (const index of value.keys()) {
      yield value.toSpliced(index, 1);
    }
    for (const [index, element] of value.entries()) {
      for (const less of shorter(element)) {
        yield value.with(index, less);
      }
    }
  } else if (typeof value === "object" && value !== null) {
    for (const [key, member] of Object.entries(value)) {
      // A block without its cidr is no block.
      if (key !== "cidr") {
        yield Object.fromEntries(Object.entries(value).filter(([other]) => other !== key));
      }
      for (const less of shorter(member)) {
        yield { ...value, [key]: less };
      }
    }
  }
}
