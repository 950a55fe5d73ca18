import { loadAll } from "js-yaml";
import { describe, expect, it } from "vitest";
import { readDocument } from "../support/markdown.ts";

const documentation = readDocument("docs/permissions.md");
const [aws = "", kubernetes = ""] = documentation.split("## Kubernetes");

/** Actions that a cell, or a text, names. */
const actionsIn = (text: string) => [...text.matchAll(/`(\w+:\w+)`/g)].map(([, action]) => action as string);

/** The row of a table that begins with this cell. */
function row(text: string, first: string): string {
  const found = text.split("\n").find((line) => line.startsWith(`| ${first} `));
  if (found === undefined) throw new Error(`docs/permissions.md has no row ${first}`);
  return found;
}

interface Statement {
  readonly Sid: string;
  readonly Effect: string;
  readonly Action: readonly string[];
  readonly Resource: string | readonly string[];
}
const statementsOf = (file: string) =>
  (JSON.parse(readDocument(file)) as { Statement: readonly Statement[] }).Statement;

describe.each(["preview", "deploy"])("access/aws-%s.json", (role) => {
  const statements = statementsOf(`access/aws-${role}.json`);

  it("has exactly the documented actions", () => {
    const lookups = aws
      .split("\n")
      .filter((line) => /^\| `(ec2|rds|eks):/.test(line))
      .flatMap(actionsIn);
    const wanted = [...lookups, ...actionsIn(row(aws, role))].sort();
    expect(statements.flatMap(({ Action }) => Action).sort()).toEqual(wanted);
  });

  it("allows each on named resources, as far as AWS knows them", () => {
    const everywhere = statements.filter(({ Resource }) => Resource === "*");
    expect(everywhere.flatMap(({ Action }) => Action).every((action) => action.startsWith("ec2:Describe"))).toBe(true);
    expect(statements.map(({ Effect }) => Effect)).toEqual(statements.map(() => "Allow"));
  });

  it("trusts one environment of one repository", () => {
    const [trust, ...others] = JSON.parse(readDocument(`access/aws-${role}-trust.json`)).Statement;
    expect(others).toEqual([]);
    expect(trust.Action).toBe("sts:AssumeRoleWithWebIdentity");
    expect(trust.Condition).toEqual({
      StringEquals: {
        "token.actions.githubusercontent.com:aud": "sts.amazonaws.com",
        "token.actions.githubusercontent.com:sub": expect.stringMatching(
          role === "preview"
            ? /^repo:[\w-]+\/[\w-]+:environment:staging-preview$/
            : /^repo:[\w-]+\/[\w-]+:environment:staging$/,
        ),
      },
    });
  });
});

it("only the deploy role may write anywhere", () => {
  const writing = (role: string) =>
    statementsOf(`access/aws-${role}.json`)
      .flatMap(({ Action }) => Action)
      .filter((action) => !/:(Describe|Get|List|Decrypt)/.test(action));
  expect(writing("preview")).toEqual([]);
  expect(writing("deploy")).toEqual(["s3:DeleteObject", "s3:PutObject"]);
});

interface RbacObject {
  readonly kind: string;
  readonly metadata: { readonly name: string; readonly namespace: string };
  readonly rules?: readonly unknown[];
  readonly roleRef?: { readonly name: string };
  readonly subjects?: readonly unknown[];
}

describe.each(["preview", "deploy"])("access/kubernetes-%s.yaml", (role) => {
  const [definition, binding] = loadAll(readDocument(`access/kubernetes-${role}.yaml`)) as [RbacObject, RbacObject];

  it("has the documented verbs on network policies in the runner's namespace, and nothing else", () => {
    const sentence = new RegExp(`\`access/kubernetes-${role}.yaml\` grants ([^.]*?)(?:, \`access|\\.)`).exec(
      kubernetes,
    )?.[1];
    const verbs = [...(sentence ?? "").matchAll(/`(\w+)`/g)].map(([, verb]) => verb);
    expect(verbs.length).toBeGreaterThan(0);
    expect(definition.kind).toBe("Role");
    expect(definition.metadata.namespace).toBe("keeperhub");
    expect(definition.rules).toEqual([{ apiGroups: ["networking.k8s.io"], resources: ["networkpolicies"], verbs }]);
  });

  it("binds that Role to the group of the same name", () => {
    expect(binding.roleRef?.name).toBe(definition.metadata.name);
    expect(binding.subjects).toEqual([
      { apiGroup: "rbac.authorization.k8s.io", kind: "Group", name: `runner-egress-${role}` },
    ]);
  });
});
