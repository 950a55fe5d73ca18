import { mkdir, readFile, writeFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { readPreview, renderMarkdown, reviewStack } from "../../../review/index.ts";
import { isInLab, LAB_STACKS, type LabProject, labNamespace, labProject } from "./labProject.ts";
import { recordable, stableIds } from "./recordings.ts";

const STACKS = Object.keys(LAB_STACKS);
const RECORDINGS = fileURLToPath(new URL("../../review/recordings/", import.meta.url));
const GOLDEN = fileURLToPath(new URL("../../review/golden/", import.meta.url));

/** Set to write the recordings and the golden comments instead of comparing with them. */
const IS_RECORDING = process.env.RECORD_REVIEWS === "1";

const ADD_SECONDARY_CIDR = `
import boto3
for region, name in (("us-east-1", "techops-staging"), ("us-east-2", "techops-prod")):
    ec2 = boto3.client("ec2", region_name=region)
    vpc = ec2.describe_vpcs(Filters=[{"Name": "tag:Name", "Values": [name]}])["Vpcs"][0]["VpcId"]
    ec2.associate_vpc_cidr_block(VpcId=vpc, CidrBlock="52.95.0.0/16")
`;

/** Previews both stacks, and compares the comment with the golden file, or writes it. */
async function comment(project: LabProject, name: string, ...args: string[]): Promise<string> {
  const previews = [];
  for (const stack of STACKS) {
    const { stdout } = await project.preview(stack, ...args);
    previews.push({ name: stack, stack, text: recordable(stdout) });
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

async function withProject(change: (project: LabProject) => Promise<void>): Promise<void> {
  const project = await labProject();
  try {
    await change(project);
  } finally {
    await project.remove();
  }
}

describe.skipIf(!isInLab())("the comment on a pull request, from real previews of both stacks", () => {
  let main: LabProject;

  beforeAll(async () => {
    main = await labProject();
    await main.must("seed-aws", []);
    for (const stack of STACKS) {
      await main.must("kubectl", ["create", "namespace", labNamespace(stack)]);
      await main.must("pulumi", ["stack", "init", stack]);
    }
  });

  afterAll(() => main.remove());

  it("first deploy: lists what is reachable from now on", async () => {
    const markdown = await comment(main, "first-deploy");
    expect(markdown).toContain("| `staging` | 🟢 **narrower** | – | all but what follows | not run |");
    expect(markdown).toContain("| `prod` | 🟢 **narrower** | – | all but what follows | not run |");
    expect(markdown).toContain("the first policy of this stack for them");
    expect(markdown).toMatch(/`10\.0\.100\.0\/24` \| database subnet subnet-\d; .*TCP 5432/);
  });

  it("nothing changes: says so and shows no row", async () => {
    for (const stack of STACKS) {
      await main.must("pulumi", ["up", "--yes", "--stack", stack]);
    }
    const markdown = await comment(main, "no-change");
    expect(markdown.match(/⚪ \*\*same reach\*\* \| – \| –/g)).toHaveLength(2);
    expect(markdown).not.toContain("| Destination |");
  });

  it("one except dropped: exactly one row, which names the block, its size, a witness and the rule", async () => {
    await withProject(async (project) => {
      await project.patch(
        "rules/exceptList.ts",
        "return { ipv4, ipv6: leastSet(KEEPERHUB_EXCEPTS.ipv6), leftOut: [] };",
        'return { ipv4: ipv4.filter((cidr) => formatCidr(cidr) !== "100.64.0.0/10"), ipv6: leastSet(KEEPERHUB_EXCEPTS.ipv6), leftOut: [] };',
      );
      // Or the component's own guardrails would refuse the plan before there is anything to review.
      await project.patch(
        "components/runnerEgress.ts",
        "const problems = guardrailProblems(policy, contract, facts);",
        "const problems = guardrailProblems(policy, contract, facts).slice(0, 0);",
      );
      const markdown = await comment(project, "dropped-except");
      expect(markdown.match(/🔴 \*\*wider\*\* \| 1 region \| –/g)).toHaveLength(2);
      const rows = markdown.split("\n").filter((line) => line.startsWith("| `100.64.0.0/10` |"));
      expect(rows).toHaveLength(2);
      for (const row of rows) {
        expect(row).toContain("shared address space (RFC 6598)");
        expect(row).toContain("| all ports | 4,194,304 | `100.64.0.1:443/tcp` |");
        expect(row).toContain("now allowed by rule 4 of");
        expect(row).toContain("`except 100.64.0.0/10`");
      }
    });
  });

  it("a destination added: a row for the pods and a row for the block", async () => {
    await withProject(async (project) => {
      for (const [stack, block] of [
        ["staging", "10.1.50.0/24"],
        ["prod", "10.0.50.0/24"],
      ] as const) {
        const config = JSON.stringify({
          services: { cache: { podLabels: { app: "redis" }, ports: ["6379/TCP"] } },
          cidrs: { legacy: { cidrs: [block], ports: ["443/TCP"] } },
        });
        await project.patch(
          `Pulumi.${stack}.yaml`,
          "  runner-egress:vpc:",
          `  runner-egress:destinations: ${config}\n  runner-egress:vpc:`,
        );
      }
      const markdown = await comment(project, "added-destination");
      expect(markdown.match(/🔴 \*\*wider\*\* \| 2 regions \| –/g)).toHaveLength(2);
      expect(markdown).toMatch(
        /`10\.1\.50\.0\/24` \| declared as legacy; VPC vpc-\d .* \| TCP 443 \| 256 \| `10\.1\.50\.1:443\/tcp` \|/,
      );
      expect(markdown).toContain("| `pods app=redis in namespace keeperhub` | declared as cache | TCP 6379 |");
    });
  });

  it("rules only reordered: the same reach and an empty table, though the engine plans an update", async () => {
    await withProject(async (project) => {
      await project.patch(
        "rules/runnerPolicy.ts",
        'policyTypes: ["Egress"], egress },',
        'policyTypes: ["Egress"], egress: egress.toReversed() },',
      );
      const markdown = await comment(project, "reordered");
      expect(markdown.match(/⚪ \*\*same reach\*\* \| – \| –/g)).toHaveLength(2);
      expect(markdown).not.toContain("| Destination |");
    });
  });

  it("no change of ours, but the VPC gained a CIDR: the fact and what it closes", async () => {
    await main.must("lab-python", ["-c", ADD_SECONDARY_CIDR]);
    const markdown = await comment(main, "vpc-gained-cidr");
    expect(markdown.match(/🟢 \*\*narrower\*\* \| – \| 1 region/g)).toHaveLength(2);
    expect(markdown).toContain("| VPC CIDR | – | `52.95.0.0/16` |");
    expect(markdown).toMatch(/`52\.95\.0\.0\/16` \| VPC vpc-\d \| all ports \| 65,536 \|/);
  });
});
