import { mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { readPreview, renderMarkdown, reviewStack } from "../../../tools/review/index.ts";
import { type BothStacks, createBothStacks, STACK_NAMES } from "../support/bothStacks.ts";
import { clearNamespace } from "../support/cluster.ts";
import { recordable, stableIds } from "./recordings.ts";

const RECORDINGS = fileURLToPath(new URL("../../tools/review/recordings/", import.meta.url));
const GOLDEN = fileURLToPath(new URL("../../tools/review/golden/", import.meta.url));

/** Set to write the recordings and the golden comments instead of comparing with them. */
const IS_RECORDING = process.env.RECORD_REVIEWS === "1";

/** The networks of both stacks; both are in one cluster, so that prod's runners have a namespace of their own. */
const NETWORKS = {
  staging: { name: "techops-staging", prefix: "10.1", namespace: "keeperhub" },
  prod: { name: "techops-prod", prefix: "10.0", region: "us-east-2", namespace: "keeperhub-prod" },
} as const;

/** Previews both stacks, and compares the comment with the golden file, or writes it. */
async function comment({ stacks }: BothStacks, name: string): Promise<string> {
  const previews = [];
  for (const stack of STACK_NAMES) {
    previews.push({ name: stack, stack, text: recordable(await stacks[stack].previewEvents()) });
  }
  const markdown = stableIds(renderMarkdown(previews.map((preview) => reviewStack(readPreview(preview)))));
  if (IS_RECORDING) {
    await mkdir(RECORDINGS, { recursive: true });
    await mkdir(GOLDEN, { recursive: true });
    for (const { stack, text } of previews) {
      await writeFile(`${RECORDINGS}${name}.${stack}.jsonl`, text);
    }
    await writeFile(`${GOLDEN}${name}.md`, `${markdown}\n`);
  }
  expect(`${markdown}\n`).toBe(await readFile(`${GOLDEN}${name}.md`, "utf8"));
  return markdown;
}

/** Runs a case with files of the project changed, and changes them back. */
async function withChanges(
  { project }: BothStacks,
  changes: readonly { readonly file: string; readonly from: string; readonly to: string }[],
  run: () => Promise<void>,
): Promise<void> {
  const paths = changes.map(({ file }) => join(project.directory, file));
  const before = await Promise.all(paths.map((path) => readFile(path, "utf8")));
  try {
    for (const { file, from, to } of changes) {
      await project.patch(file, from, to);
    }
    await run();
  } finally {
    await Promise.all(paths.map((path, index) => writeFile(path, before[index] ?? "")));
  }
}

describe("the comment on a pull request, from real previews of both stacks", () => {
  let main: BothStacks;

  beforeAll(async () => {
    main = await createBothStacks(NETWORKS);
  });
  afterAll(async () => {
    await Promise.all(STACK_NAMES.map((name) => clearNamespace(NETWORKS[name].namespace)));
    await main.project.remove();
  });

  it("first deploy: lists what is reachable from now on", async () => {
    const markdown = await comment(main, "first-deploy");
    expect(markdown).toContain("| `staging` | 🔵 **narrower** | – | everything that is not listed below | ⚠️ not run |");
    expect(markdown).toContain("| `prod` | 🔵 **narrower** | – | everything that is not listed below | ⚠️ not run |");
    expect(markdown).toContain("this stack restricts them for the first time");
    expect(markdown).toMatch(/`10\.0\.100\.0\/24` \| database subnet subnet-\d; .*TCP 5432/);
  });

  it("nothing changes: says so and shows no row", async () => {
    for (const stack of STACK_NAMES) {
      expect(await main.stacks[stack].up()).toMatchObject({ status: 0 });
    }
    const markdown = await comment(main, "no-change");
    expect(markdown.match(/⚪ \*\*same reach\*\* \| – \| –/g)).toHaveLength(2);
    expect(markdown).not.toContain("| Destination | What it is | Ports | Addresses |");
  });

  it("one except dropped: exactly one row, which names the block, its size, a witness and the rule", async () => {
    const changes = [
      {
        file: "runner/exceptList.ts",
        from: "return { ipv4: leastSet([...ipv4, ...further]), ipv6:",
        to: 'return { ipv4: ipv4.filter((cidr) => formatCidr(cidr) !== "100.64.0.0/10"), ipv6:',
      },
      // Or the guardrails that hold without the pack would refuse the plan before there is anything to review.
      {
        file: "program/plannedPolicy.ts",
        from: "  const origins = ruleOrigins(contract);",
        to: "  if (id) return [];\n  const origins = ruleOrigins(contract);",
      },
    ];
    await withChanges(main, changes, async () => {
      const markdown = await comment(main, "dropped-except");
      expect(markdown.match(/🔴 \*\*wider\*\* \| `100\.64\.0\.0\/10` on every protocol and port \| –/g)).toHaveLength(
        2,
      );
      const rows = markdown.split("\n").filter((line) => line.startsWith("| `100.64.0.0/10` |"));
      expect(rows).toHaveLength(2);
      for (const row of rows) {
        expect(row).toContain("shared address space (RFC 6598)");
        expect(row).toContain("| every protocol and port | 4,194,304 | `100.64.0.1:443/tcp` |");
        expect(row).toContain("(0.0.0.0/0, spec.egress[4].to[0])");
        expect(row).toContain("(except 100.64.0.0/10, spec.egress[4].to[0].ipBlock.except[");
      }
    });
  });

  it("a destination added: a row for the pods and a row for the block", async () => {
    const blocks = { staging: "10.1.50.0/24", prod: "10.0.50.0/24" };
    const changes = STACK_NAMES.map((stack) => {
      const config = JSON.stringify({
        services: { cache: { podLabels: { app: "redis" }, ports: ["6379/TCP"] } },
        cidrs: { legacy: { cidrs: [blocks[stack]], ports: ["443/TCP"] } },
      });
      const from = "  runner-egress:vpc:";
      return { file: `Pulumi.${stack}.yaml`, from, to: `  runner-egress:destinations: ${config}\n${from}` };
    });
    await withChanges(main, changes, async () => {
      const markdown = await comment(main, "added-destination");
      expect(
        markdown.match(/🔴 \*\*wider\*\* \| `10\.\d\.50\.0\/24` on TCP 443, `pods app=redis .*` on TCP 6379 \| –/g),
      ).toHaveLength(2);
      expect(markdown).toMatch(
        /`10\.1\.50\.0\/24` \| destination legacy; VPC vpc-\d .* \| TCP 443 \| 256 \| `10\.1\.50\.1:443\/tcp` \|/,
      );
      expect(markdown).toContain("| `pods app=redis in namespace keeperhub` | destination cache | TCP 6379 |");
    });
  });

  it("rules only reordered: the same reach and an empty table, though the engine plans an update", async () => {
    const change = {
      file: "runner/runnerPolicy.ts",
      from: 'policyTypes: ["Egress"], egress },',
      to: 'policyTypes: ["Egress"], egress: egress.toReversed() },',
    };
    await withChanges(main, [change], async () => {
      const markdown = await comment(main, "reordered");
      expect(markdown.match(/⚪ \*\*same reach\*\* \| – \| –/g)).toHaveLength(2);
      expect(markdown).not.toContain("| Destination | What it is | Ports | Addresses |");
    });
  });

  it("no change of ours, but the VPC gained a CIDR: the fact and what it closes", async () => {
    for (const stack of STACK_NAMES) {
      await main.networks[stack].associate("52.95.0.0/16");
    }
    const markdown = await comment(main, "vpc-gained-cidr");
    expect(markdown.match(/🔵 \*\*narrower\*\* \| – \| `52\.95\.0\.0\/16` on every protocol and port/g)).toHaveLength(
      2,
    );
    expect(markdown).toContain("| VPC CIDR | (new) | `52.95.0.0/16` |");
    expect(markdown).toMatch(
      /`52\.95\.0\.0\/16` \| VPC vpc-\d, public addresses \| every protocol and port \| 65,536 \|/,
    );
  });
});
