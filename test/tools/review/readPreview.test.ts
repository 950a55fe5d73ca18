import { describe, expect, it } from "vitest";
import { mergePlans, PreviewError, readPreview } from "../../../tools/review/index.ts";
import { block, events, plan, policy, recordedPlan, recording } from "./previews.ts";

const read = (text: string, stack?: string) => readPreview({ name: "preview.json", text, ...(stack && { stack }) });

describe("what is no preview", () => {
  it.each([
    ["", "preview.json is empty"],
    ["hello", 'preview.json, line 1: "hello" is not JSON'],
    ['{"sequence":1,"preludeEvent":{}}\n{"sequence":2,"summ', 'line 2: "{\\"sequence\\":2,\\"summ" is not JSON'],
    ['{"kind":"NetworkPolicy"}', "preview.json has neither steps nor diagnostics"],
    ["[1]", "line 1"],
  ])("%j is refused with the file, the place and what is wanted", (text, message) => {
    expect(() => read(text)).toThrow(PreviewError);
    expect(() => read(text)).toThrow(message);
    expect(() => read(text)).toThrow("pulumi preview --json");
  });
});

describe("engine events", () => {
  it("know that they list everything, and the findings of policy packs", () => {
    const { isComplete, findings, packs, errors } = recordedPlan("other.pack.jsonl");
    expect(isComplete).toBe(true);
    expect(packs).toEqual(["try-pack v0.1.0"]);
    expect(findings).toEqual([
      {
        pack: "try-pack v0.1.0",
        policy: "adv",
        severity: "advisory",
        resource: "worker",
        message: "advice\ncareful | with `this` @here",
      },
      {
        pack: "try-pack v0.1.0",
        policy: "mand",
        severity: "mandatory",
        resource: "other-team-dev",
        message: "must\nstack is\nbad",
      },
    ]);
    // "preview failed" only repeats the violation.
    expect(errors).toEqual([]);
  });

  it("give one resource for the steps of a replacement, as it was and as it will be", () => {
    const resource = recordedPlan("other.replaced.jsonl").resources.find(({ type }) => type.endsWith("NetworkPolicy"));
    expect(resource?.operations).toEqual(["create-replacement", "replace", "delete-replaced"]);
    expect(resource?.before?.inputs.metadata).toMatchObject({ name: "worker" });
    expect(resource?.after?.inputs.metadata).toMatchObject({ name: "worker2" });
  });

  it("give the refreshed state, not the one before the refresh", () => {
    const resource = recordedPlan("other.refresh.jsonl").resources.find(({ type }) => type.endsWith("NetworkPolicy"));
    expect(resource?.operations).toEqual(["update"]);
    expect(JSON.stringify(resource?.before?.outputs.spec)).toContain("10.0.0.0/10");
    expect(JSON.stringify(resource?.after?.inputs.spec)).toContain("10.0.0.0/8");
  });

  it("keep errors and warnings as sentences, without the engine's marks and without repetition", () => {
    const diagnostic = (severity: string, message: string) => ({ diagnosticEvent: { severity, message } });
    const { errors, warnings } = plan(
      [],
      [
        diagnostic("error", "<{%fg 1%}>error: <{%reset%}>the VPC is gone\n"),
        diagnostic("error", "\u001b[31merror: the VPC is gone\u001b[0m"),
        diagnostic("error", "preview failed\n"),
        diagnostic("warning", "warning: somebody changed it"),
        diagnostic("debug", "noise"),
      ],
    );
    expect(errors).toEqual(["the VPC is gone"]);
    expect(warnings).toEqual(["somebody changed it"]);
  });

  it("that end in failure without a word still count as failed", () => {
    expect(plan([], [{ summaryEvent: { result: "failed" } }]).errors).toHaveLength(1);
  });

  it("that were cut off are no preview, since deletions come last", () => {
    const lines = recording("other.deleted.jsonl").trim().split("\n");
    const cut = read(lines.slice(0, -2).join("\n"));
    expect(cut.errors).toEqual([expect.stringContaining("cut off")]);
  });

  it("that were cut off have the reason that a policy pack printed, without its stack", () => {
    const printed = [
      "error: [runtime] failed with an unhandled exception:\n",
      "  Error: Cannot find module 'x'\n",
      "  at y\n",
    ];
    const lines = [
      { policyLoadEvent: {} },
      ...printed.map((message) => ({ diagnosticEvent: { severity: "info#err", message } })),
    ];
    const cut = read(lines.map((event, sequence) => JSON.stringify({ sequence, ...event })).join("\n"));
    expect(cut.errors).toEqual(["[runtime] failed with an unhandled exception:\nError: Cannot find module 'x'"]);
  });

  it("may have lines for a person among them, as a digest may around it", () => {
    const steps = [{ op: "create", after: policy([]) }];
    const plain = events(steps, [], "blue");
    const said = [
      "Loading policy packs...",
      ...plain.split("\n").flatMap((line) => [line, "", "Policy pack org-pack: ok"]),
    ];
    expect(read(said.join("\n"))).toEqual(read(plain));
    const digest = JSON.stringify({ steps: [], changeSummary: { same: 2 } }, null, 2);
    expect(read(`Loading policy packs...\n${digest}\nDone\n`, "blue")).toEqual(read(digest, "blue"));
  });

  it("are not taken for another stack's", () => {
    const text = events([{ op: "create", after: policy([]) }], [], "blue");
    expect(() => read(text, "green")).toThrow("preview.json is a preview of stack blue, not of green");
    expect(read(text, "organisation/project/blue").stack).toBe("organisation/project/blue");
  });

  it("call the stack by its URNs, else by the name given", () => {
    expect(read(events([{ op: "create", after: policy([]) }], [], "blue")).stack).toBe("blue");
    expect(read(events([], [{ preludeEvent: {} }]), "green").stack).toBe("green");
  });
});

describe("a digest", () => {
  it("does not say what is unchanged, nor what policy packs found", () => {
    const { isComplete, findings, changes } = recordedPlan("vpc-gained-cidr.digest.json");
    expect(isComplete).toBe(false);
    expect(findings).toBeUndefined();
    expect(changes).toEqual({ same: 3, update: 2 });
  });

  it("that only says that the preview failed points to the events for the reason", () => {
    const digest = { steps: [], diagnostics: [{ severity: "error", message: "error: preview failed\n" }] };
    expect(read(JSON.stringify(digest)).errors).toEqual([expect.stringContaining("only in the engine's events")]);
  });
});

describe("several sources of one stack", () => {
  const digest = read(JSON.stringify({ steps: [], changeSummary: { same: 2 } }), "dev");
  const full = read(recording("other.pack.jsonl"));

  it.each([
    ["digest first", [digest, full]],
    ["events first", [full, digest]],
  ])("are one plan with the resources of the fuller one and the findings of both, %s", (_, plans) => {
    expect(mergePlans(plans)).toHaveLength(1);
    expect(mergePlans(plans)[0]).toMatchObject({
      isComplete: true,
      resources: full.resources,
      findings: full.findings,
    });
  });

  it("keep the errors of both, but for a digest's complaint that it has no reason", () => {
    const failed = (message: string) =>
      read(JSON.stringify({ steps: [], diagnostics: [{ severity: "error", message: `error: ${message}\n` }] }), "dev");
    expect(mergePlans([failed("preview failed"), full])[0]?.errors).toEqual([]);
    expect(mergePlans([full, failed("the VPC is gone")])[0]?.errors).toEqual(["the VPC is gone"]);
  });

  it.each([
    ["twice the events, which differ", [full, plan([{ op: "create", after: policy([]) }])]],
    ["a digest of another run", [full, read(JSON.stringify({ steps: [], changeSummary: { update: 1 } }), "dev")]],
  ])("are refused where one would go unread: %s", (_, plans) => {
    expect(() => mergePlans(plans)).toThrow(PreviewError);
    expect(() => mergePlans(plans)).toThrow("two different previews of stack dev");
  });

  it("may be the same file twice", () => {
    expect(mergePlans([full, full])).toEqual([full]);
  });

  it("leave other stacks alone", () => {
    const other = plan([{ op: "create", after: policy([block("10.0.0.0/8")]) }], [], "prod");
    expect(mergePlans([digest, other]).map(({ stack }) => stack)).toEqual(["dev", "prod"]);
  });
});
