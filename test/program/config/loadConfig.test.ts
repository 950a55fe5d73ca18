import * as pulumi from "@pulumi/pulumi";
import { beforeAll, expect, it } from "vitest";
import { ProblemsError } from "../../../analysis/problems.ts";
import { loadConfig } from "../../../program/config/loadConfig.ts";

beforeAll(() =>
  pulumi.runtime.setMocks({ newResource: () => ({ id: "", state: {} }), call: () => ({}) }, "runner-egress", "prod"),
);

it("reads the config of the stack that runs", () => {
  pulumi.runtime.setAllConfig({
    "aws:region": "us-east-2",
    "runner-egress:cluster": '{"eks":"techops-prod"}',
    "runner-egress:vpc": '{"ofCluster":true}',
    "runner-egress:databaseSubnets": '{"ids":["subnet-1"]}',
    "runner-egress:adopt": "true",
    "other:key": "is none of ours",
  });
  expect(loadConfig()).toMatchObject({
    stack: "runner-egress/prod",
    cluster: { eks: "techops-prod" },
    vpc: { ofCluster: true },
    databaseSubnets: { ids: ["subnet-1"] },
    adopt: true,
  });
});

it("fails with every problem", () => {
  pulumi.runtime.setAllConfig({ "runner-egress:vpc": "{}" });
  const failure = (() => {
    try {
      return loadConfig();
    } catch (error) {
      return error;
    }
  })();
  expect(failure).toBeInstanceOf(ProblemsError);
  expect((failure as Error).message.split("\n")).toEqual([
    "The config of stack prod can't be used:",
    expect.stringContaining("aws:region: missing"),
    expect.stringContaining("runner-egress:cluster: missing"),
    expect.stringContaining("runner-egress:vpc is {}"),
    expect.stringContaining("runner-egress:databaseSubnets: missing"),
  ]);
});
