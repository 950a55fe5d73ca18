import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  COMMENT_LIMIT,
  commentMarker,
  renderMarkdown,
  renderText,
  reviewDrift,
  reviewStack,
  type StackReview,
} from "../../../tools/review/index.ts";
import { diagramsOf, nastyText, parseMermaid, renderGfm, tablesOf } from "./gfm.ts";
import { block, plan, policy, recordedPlan } from "./previews.ts";

const CASES = ["first-deploy", "no-change", "dropped-except", "added-destination", "reordered", "vpc-gained-cidr"];

describe.each(CASES)("the comment for %s", (name) => {
  const markdown = renderMarkdown(
    ["staging", "prod"].map((stack) => reviewStack(recordedPlan(`${name}.${stack}.jsonl`))),
  );
  const html = renderGfm(markdown);

  it("starts with the marker and a table of both stacks", () => {
    expect(markdown.startsWith(`${commentMarker()}\n`)).toBe(true);
    expect(tablesOf(html)[0]?.map(([first]) => first)).toEqual(["Stack", "staging", "prod"]);
  });

  it("has only complete tables and balanced folds", () => {
    for (const rows of tablesOf(html)) {
      expect(new Set(rows.map((row) => row.length)).size).toBe(1);
    }
    expect(html.match(/<details>/g)?.length).toBe(html.match(/<\/details>/g)?.length);
    expect(html).not.toContain("| ---");
  });

  it("has diagrams that Mermaid reads", async () => {
    const diagrams = diagramsOf(markdown);
    expect(diagrams.length).toBeGreaterThan(0);
    for (const diagram of diagrams) {
      expect(await parseMermaid(diagram)).toBe("flowchart-v2");
    }
  });
});

describe("changed edges", () => {
  it("are marked by line, colour and word", () => {
    const review = reviewStack(
      plan([{ op: "update", before: policy([block("10.0.0.0/8")]), after: policy([block("172.16.0.0/12")]) }]),
    );
    const [diagram = ""] = diagramsOf(renderMarkdown([review]));
    expect(diagram).toMatch(/==>\|"newly reachable: every protocol and port"\| d0\n {2}class d0 gained/);
    expect(diagram).toMatch(/-\.->\|"no longer reachable: every protocol and port"\| d1\n {2}class d1 lost/);
    expect(diagram).toContain("linkStyle 0 stroke:#cf222e");
  });

  it("survive any name", async () => {
    await fc.assert(
      fc.asyncProperty(nastyText, nastyText, async (name, namespace) => {
        // Labels are held to what Kubernetes accepts; a name and a namespace are shown as they were written.
        const metadata = { name, namespace };
        const peer = { to: [{ podSelector: {} }] };
        const review = reviewStack(
          plan([{ op: "update", before: policy([], { metadata }), after: policy([peer], { metadata }) }]),
        );
        const markdown = renderMarkdown([review]);
        for (const rows of tablesOf(renderGfm(markdown))) {
          expect(new Set(rows.map((row) => row.length)).size).toBe(1);
        }
        expect(await parseMermaid(diagramsOf(markdown)[0] ?? "")).toBe("flowchart-v2");
      }),
      { numRuns: 60 },
    );
  });
});

/** A review with many rows: every second /24 of a /16 newly allowed. */
function manyRows(rows: number, stack: string): StackReview {
  const rules = Array.from({ length: rows }, (_, index) => block(`10.${index >> 7}.${(index % 128) * 2}.0/24`));
  return reviewStack(plan([{ op: "update", before: policy([]), after: policy(rules) }], [], stack));
}

const size = (text: string) => Buffer.byteLength(text);

describe("the size limit of a comment", () => {
  it.each([
    [1, 20],
    [1, 1000],
    [2, 300],
    [20, 40],
    [60, 500],
    [400, 3],
    [3000, 1],
  ])("is kept for %i stacks of %i rows, without a cut table", (stacks, rows) => {
    const [first] = [manyRows(rows, "stack-0")];
    const reviews = Array.from(
      { length: stacks },
      (_, index) => ({ ...first, stack: `stack-${index}` }) as StackReview,
    );
    const markdown = renderMarkdown(reviews);
    const html = renderGfm(markdown);
    expect(size(markdown)).toBeLessThanOrEqual(COMMENT_LIMIT);
    for (const table of tablesOf(html)) {
      expect(new Set(table.map((row) => row.length)).size).toBe(1);
      expect(table.length).toBeGreaterThan(1);
    }
    expect(html.match(/<details>/g)?.length ?? 0).toBe(html.match(/<\/details>/g)?.length ?? 0);
    expect(html).toContain("<code>stack-0</code>");
  });

  it("shows a long table folded, and says what is missing when it does not fit", () => {
    const fits = renderMarkdown([manyRows(100, "dev")]);
    expect(tablesOf(renderGfm(fits)).reduce((sum, rows) => sum + rows.length - 1, 0)).toBe(1 + 100 + 100);
    expect(fits).toContain("<summary>88 more rows</summary>");
    const tooMuch = renderMarkdown([manyRows(2000, "dev")]);
    expect(tooMuch).toMatch(/… and \d+ further rows; the JSON output has them\./);
    expect(tooMuch).toContain("Not everything fits into a comment");
  });

  it("counts every row it hides", () => {
    const markdown = renderMarkdown([manyRows(2000, "dev")], { limit: 20_000 });
    const shown = tablesOf(renderGfm(markdown))
      .slice(1)
      .reduce((sum, rows) => sum + rows.length - 1, 0);
    const hidden = Number(/… and (\d+) further rows/.exec(markdown)?.[1]);
    expect(shown + hidden).toBe(2000);
  });

  it("is kept for long messages of policies and errors", () => {
    const message = "x|`@y` ".repeat(20_000);
    const findings = [{ pack: "p", policy: "q", severity: "mandatory", resource: "r", message } as const];
    const review: StackReview = { ...manyRows(1, "dev"), findings, obstacles: [message], warnings: [message] };
    expect(size(renderMarkdown([review]))).toBeLessThanOrEqual(COMMENT_LIMIT);
  });
});

describe("what a reviewer has to see", () => {
  it("the blocks that a rule leaves out, with their names, in a first deploy and after a change", () => {
    for (const recording of ["first-deploy", "dropped-except"]) {
      const html = renderGfm(renderMarkdown([reviewStack(recordedPlan(`${recording}.staging.jsonl`))]));
      const internet = tablesOf(html)
        .flat()
        .find(([destination]) => destination === "0.0.0.0/0");
      expect(internet?.[1]).toContain("169.254.0.0/16 link-local (RFC 3927)");
      expect(internet?.[1]?.includes("100.64.0.0/10")).toBe(recording === "first-deploy");
    }
  });

  it("whether AWS credentials can be got, whatever changes", () => {
    const closed =
      "These policies block the instance metadata and pod credential endpoints, except during a pod's first few seconds.";
    expect(renderMarkdown([reviewStack(recordedPlan("no-change.staging.jsonl"))])).toContain(closed);
    const same = policy([block("169.254.0.0/16")]);
    const open = renderMarkdown([reviewStack(plan([{ op: "same", before: same, after: same }]))]);
    expect(open).toMatch(
      /EC2 instance metadata \(IMDS\) 169\.254\.169\.254, .* can be reached: anyone who makes a pod send/,
    );
    expect(open).not.toContain(closed);
  });

  describe("before all else and in red, that credentials become reachable, and what that means", () => {
    const opening = (after: object, stack = "dev", before = policy([])) =>
      reviewStack(plan([{ op: "update", before, after }], [], stack));
    const imds = policy([block("169.254.169.254/32", [], [{ port: 80 }])]);
    const same = opening(imds, "same", imds);
    const red =
      "> [!CAUTION]\n> `dev`: **EC2 instance metadata (IMDS) 169.254.169.254 becomes reachable.** " +
      "Anyone who makes a pod send a request there gets AWS credentials.";

    it.each([
      ["the comment", renderMarkdown([same, opening(imds)])],
      ["the shortest one", renderMarkdown([opening(imds)], { limit: 600 })],
    ])("%s", (_, markdown) => {
      expect(markdown.split("\n\n").slice(1, 3)).toEqual(["## Egress review", red]);
      expect(markdown).not.toContain("`same`: **");
    });

    it("several of them, several stacks, and the text", () => {
      const all = policy([block("169.254.0.0/16")]);
      const markdown = renderMarkdown(["a", "b", "c", "d"].map((stack) => opening(all, stack)));
      expect(markdown).toMatch(/> `a`, `b`, `c` and others: \*\*EC2 .*, EKS .* become reachable\.\*\*/);
      expect(markdown.match(/CAUTION/g)).toHaveLength(1);
      expect(renderText([opening(imds)])).toMatch(
        /^dev: wider\n {2}DANGER: EC2 instance metadata .* becomes reachable\./,
      );
    });

    it.each([
      ["another port of the same address", opening(policy([block("169.254.169.254/32", [], [{ port: 22 }])]))],
      ["closing them", opening(policy([]), "dev", imds)],
      ["what was open before", same],
    ])("but not for %s", (_, review) => {
      expect(renderMarkdown([review])).not.toContain("CAUTION");
      expect(renderText([review])).not.toContain("DANGER");
    });

    it("in drift, from the program to what is live", () => {
      const review = reviewDrift(plan([{ op: "same", before: policy([]), after: policy([]) }]), [imds]);
      expect(renderMarkdown([review])).toContain("can be reached, which the program denies.**");
    });
  });

  it("policy results, the worst first, quoted", () => {
    const markdown = renderMarkdown([reviewStack(recordedPlan("other.pack.jsonl"))]);
    const [overview, findings] = tablesOf(renderGfm(markdown));
    expect(overview?.[1]?.at(-1)).toBe("❌ 1 violation, 1 advisory");
    expect(findings).toEqual([
      ["Level", "Policy", "Resource", "Message"],
      ["❌ mandatory", "mand", "other-team-dev", "must stack is bad"],
      ["⚠️ advisory", "adv", "worker", "advice careful | with `this` @here"],
    ]);
  });

  it("that nothing can be concluded, and why, before anything else", () => {
    const markdown = renderMarkdown([reviewStack(recordedPlan("other.secret.jsonl"))]);
    expect(markdown).toContain("❔ **cannot conclude** | ? | ?");
    expect(markdown).toContain("treat this change as unreviewed");
    expect(markdown).toContain("spec.egress[0].to[0].ipBlock.cidr is secret");
  });

  it("that a deletion opens everything", () => {
    expect(renderMarkdown([reviewStack(recordedPlan("other.deleted.jsonl"))])).toContain(
      "**nothing restricts them any more**",
    );
  });

  it("why a gain matters and what to do next", () => {
    const html = renderGfm(renderMarkdown([reviewStack(recordedPlan("dropped-except.staging.jsonl"))]));
    expect(html).toMatch(/Why it matters:<\/strong> it opens the way to private addresses/);
    expect(html).toMatch(/Before approving:<\/strong> should the pods reach these/);
    expect(html).not.toContain("time out");
  });

  it("the worst reason first, and what is lost as well", () => {
    const [before, after] = [policy([block("8.8.8.8/32")]), policy([block("169.254.0.0/16"), block("10.0.0.0/8")])];
    const markdown = renderMarkdown([reviewStack(plan([{ op: "update", before, after }]))]);
    expect(markdown).toMatch(
      /opens the way to the instance metadata and pod credential endpoints.*; private addresses/,
    );
    expect(markdown).toContain("do the pods still need");
  });

  it("cautions in sight, not folded away nor left out where there is little room", () => {
    const rules = ["a", "b", "c", "d"].map((app) => ({ to: [{ podSelector: { matchLabels: { app } } }] }));
    const same = policy(rules);
    const review = reviewStack(
      plan([
        { op: "delete-replaced", before: same },
        { op: "create-replacement", before: same, after: same },
      ]),
    );
    const markdown = renderMarkdown([review]);
    expect(markdown.slice(0, markdown.indexOf("<details>"))).toContain("⚠️ **Caution:** shop/worker is deleted");
    expect(renderMarkdown([review], { limit: 1790 })).toContain("⚠️ Shop/worker is deleted");
  });

  it("whose a note is, where it is not everybody's", () => {
    const digest = { ...recordedPlan("no-change.staging.jsonl"), isComplete: false };
    const markdown = renderMarkdown([reviewStack(digest), reviewStack(recordedPlan("no-change.prod.jsonl"))]);
    expect(markdown).toContain("- `staging`: the digest lists only what changes");
    expect(markdown.slice(0, markdown.indexOf("###"))).toContain("This compares the stack's own NetworkPolicies");
  });

  it("which reading a row holds under, only where they differ", () => {
    const same = renderMarkdown([reviewStack(recordedPlan("dropped-except.staging.jsonl"))]);
    expect(same).not.toContain("Holds");
  });

  it("its own marker for each key", () => {
    expect(renderMarkdown([], { key: "drift/staging" })).toContain("<!-- runner-egress:drift-staging -->");
  });
});
