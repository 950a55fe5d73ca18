import { readFileSync } from "node:fs";
import { load } from "js-yaml";
import { describe, expect, it } from "vitest";
import { readConfig } from "../../../program/config/readConfig.ts";

const root = new URL("../../../", import.meta.url);
const yaml = (file: string) => load(readFileSync(new URL(file, root), "utf8")) as { config: Record<string, unknown> };

function stackConfig(stack: string) {
  const values = Object.entries(yaml(`Pulumi.${stack}.yaml`).config).map(([key, value]) => [
    key,
    typeof value === "string" ? value : JSON.stringify(value),
  ]);
  return readConfig({ project: "runner-egress", stack, values: Object.fromEntries(values) });
}

describe("the stack files", () => {
  it("name their own network, each in its region", () => {
    expect(stackConfig("staging")).toMatchObject({
      aws: { region: "us-east-1" },
      cluster: { eks: "techops-staging" },
      vpc: { name: "techops-staging" },
      databaseSubnets: { subnetGroup: "techops-staging-db" },
    });
    expect(stackConfig("prod")).toMatchObject({
      aws: { region: "us-east-2" },
      cluster: { eks: "techops-prod" },
      vpc: { name: "techops-prod" },
      databaseSubnets: { subnetGroup: "techops-prod-db" },
    });
  });

  it("agree in everything else", () => {
    expect(stackConfig("staging").contract).toEqual(stackConfig("prod").contract);
    for (const stack of ["staging", "prod"]) {
      expect(stackConfig(stack)).toMatchObject({ adopt: false, acknowledge: new Map() });
    }
  });

  it("say what the project's typed keys demand", () => {
    const typed = Object.entries(yaml("Pulumi.yaml").config).filter(([key]) => !key.includes(":"));
    expect(typed.map(([key]) => key).sort()).toEqual(["cluster", "databaseSubnets", "vpc"]);
    for (const stack of ["staging", "prod"]) {
      for (const [key, { type }] of typed as [string, { type: string }][]) {
        expect(typeof yaml(`Pulumi.${stack}.yaml`).config[`runner-egress:${key}`], key).toBe(type);
      }
    }
  });
});
