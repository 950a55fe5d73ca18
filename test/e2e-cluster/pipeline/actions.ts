import { cp, glob, mkdir, rm, stat } from "node:fs/promises";
import { basename, dirname, join, matchesGlob, relative } from "node:path";
import { mustRun } from "../../e2e/support/command.ts";
import type { Action, Texts } from "./playWorkflow.ts";

/** Where the actions of a run get things from, and where they leave them. */
export interface ActionsOptions {
  /** The repository, as a path. */
  readonly repository: string;
  /** What is checked out where a step names nothing else. */
  readonly commit: string;
  /** A folder with one folder for each artifact. */
  readonly artifacts: string;
  /** The AWS API. */
  readonly aws: string;
  /** `OWNER@ID/NAME@ID`, the immutable form that a repository has since July 2026. */
  readonly subject: string;
  /** Is told the name of each artifact. */
  readonly uploaded: (name: string) => void;
}

/** The actions of the workflows, as far as they matter to the steps after them. */
export function actionsOf({
  repository,
  commit,
  artifacts,
  aws,
  subject,
  uploaded,
}: ActionsOptions): Record<string, Action> {
  const isThere: Action = async () => {};
  return {
    "actions/setup-node": isThere,
    "actions/cache": isThere,
    "pulumi/actions": isThere,
    "actions/checkout": async ({ ref = commit }, { workspace }) => {
      await mustRun("git", ["clone", "--quiet", repository, workspace]);
      await mustRun("git", ["checkout", "--quiet", ref], { cwd: workspace });
    },
    "aws-actions/configure-aws-credentials": async (inputs, { env, environment }) => {
      Object.assign(env, await assumeRole(aws, inputs, `repo:${subject}:environment:${environment}`));
    },
    "actions/upload-artifact": async (inputs, { workspace }) => {
      const { path = "" } = inputs;
      // A file that is no archive is its artifact, by its own name.
      const name = inputs.archive === "false" ? basename(path) : (inputs.name ?? "");
      // What stands before the first wildcard is left out of the names in the artifact.
      const root = join(workspace, path.endsWith("/") ? path : dirname(path));
      const found: string[] = [];
      for await (const file of glob(path.endsWith("/") ? `${path}**` : path, { cwd: workspace })) {
        if ((await stat(join(workspace, file))).isFile()) {
          found.push(join(workspace, file));
        }
      }
      if (found.length === 0 && inputs["if-no-files-found"] === "error") {
        throw new Error(`no files were found with the path ${path}`);
      }
      if (found.length > 0) {
        await rm(join(artifacts, name), { recursive: true, force: true });
        uploaded(name);
      }
      for (const file of found) {
        await cp(file, join(artifacts, name, relative(root, file)));
      }
    },
    "actions/download-artifact": async (inputs, { workspace }) => {
      const { pattern = "", path = "" } = inputs;
      await mkdir(artifacts, { recursive: true });
      for await (const artifact of glob("*", { cwd: artifacts })) {
        if (matchesGlob(artifact, pattern)) {
          await cp(join(artifacts, artifact), join(workspace, path), { recursive: true });
        }
      }
    },
  };
}

/** Trades the identity token of a job for the session of a role, as the action does. */
async function assumeRole(aws: string, inputs: Texts, subject: string): Promise<Texts> {
  const claims = { aud: "sts.amazonaws.com", sub: subject };
  const [header, payload] = [{ alg: "none" }, claims].map((part) =>
    Buffer.from(JSON.stringify(part)).toString("base64url"),
  );
  const parameters = {
    Action: "AssumeRoleWithWebIdentity",
    Version: "2011-06-15",
    RoleArn: inputs["role-to-assume"] ?? "",
    RoleSessionName: inputs["role-session-name"] ?? "",
    WebIdentityToken: `${header}.${payload}.`,
  };
  const answer = await fetch(aws, { method: "POST", body: new URLSearchParams(parameters) });
  const text = await answer.text();
  const account = inputs["allowed-account-ids"];
  if (!answer.ok || account === undefined || !text.includes(`:sts::${account}:assumed-role/`)) {
    throw new Error(`the role ${parameters.RoleArn} can't be assumed: ${text}`);
  }
  const member = (name: string) => new RegExp(`<${name}>([^<]+)<`).exec(text)?.[1] ?? "";
  return {
    AWS_ACCESS_KEY_ID: member("AccessKeyId"),
    AWS_SECRET_ACCESS_KEY: member("SecretAccessKey"),
    AWS_SESSION_TOKEN: member("SessionToken"),
    AWS_REGION: inputs["aws-region"] ?? "",
    AWS_DEFAULT_REGION: inputs["aws-region"] ?? "",
  };
}
