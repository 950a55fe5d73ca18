import { describe, expect, it } from "vitest";
import type { StackConfig } from "../../../program/config/stackConfig.ts";
import { eksKubeconfig } from "../../../program/lookups/eksKubeconfig.ts";
import { stackConfig } from "../../support/awsAnswers.ts";

const endpoint = { name: "techops-staging", endpoint: "https://eks.example", certificateAuthority: "Q0E=" };
const argumentsOf = (changes: Partial<StackConfig> = {}) =>
  eksKubeconfig(endpoint, stackConfig(changes)).users?.[0]?.user.exec?.args?.join(" ");

describe("the kubeconfig of an EKS cluster", () => {
  it("gets a token at each use, in the stack's region", () => {
    expect(argumentsOf()).toBe("--region us-east-1 eks get-token --cluster-name techops-staging --output json");
  });

  it("names the role and the profile that decide who asks", () => {
    const role = "arn:aws:iam::123456789012:role/deploy";
    expect(
      argumentsOf({
        aws: { region: "us-east-2", profile: "ops" },
        cluster: { eks: "techops-staging", roleArn: role },
      }),
    ).toBe(
      "--region us-east-2 eks get-token --cluster-name techops-staging --output json " +
        `--role-arn ${role} --profile ops`,
    );
  });

  it("holds the endpoint and its authority, and no secret", () => {
    const config = eksKubeconfig(endpoint, stackConfig());
    expect(config.clusters).toEqual([
      { name: "techops-staging", cluster: { server: "https://eks.example", "certificate-authority-data": "Q0E=" } },
    ]);
    expect(Object.keys(config.users?.[0]?.user ?? {})).toEqual(["exec"]);
  });
});
