import { copyFileSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { capture } from "../../tools/command.ts";
import {
  closeIssue,
  hasReviewers,
  type Repository,
  repositoryOf,
  upsertComment,
  upsertIssue,
} from "../../tools/github.ts";
import { FakeGitHub } from "../support/fakeGitHub.ts";
import { ROOT } from "../support/fixtureProject.ts";

const MARKER = "<!-- runner-egress:review -->";

let github: FakeGitHub;
let repository: Repository;

beforeAll(async () => {
  github = await FakeGitHub.start("o/r", 7);
  repository = { api: github.origin, name: "o/r", token: "secret" };
});
afterAll(() => github.stop());
beforeEach(() => {
  for (const list of [github.issues, github.comments, github.requests, github.trouble]) list.length = 0;
});

describe("a comment", () => {
  it("is written once and then updated", async () => {
    await upsertComment(repository, 7, MARKER, `${MARKER}\nfirst`);
    await upsertComment(repository, 7, MARKER, `${MARKER}\nsecond`);
    expect(github.comments.map(({ body }) => body)).toEqual([`${MARKER}\nsecond`]);
  });

  it("is found behind a full page of others", async () => {
    for (let count = 0; count < 100; count++) github.add(github.comments, "talk", "User");
    github.add(github.comments, `${MARKER}\r\nearlier`, "Bot");
    await upsertComment(repository, 7, MARKER, `${MARKER}\nnew`);
    expect(github.comments).toHaveLength(101);
    expect(github.comments[100]?.body).toBe(`${MARKER}\nnew`);
  });

  it.each([
    ["a person's with the same marker", `${MARKER}\nmine`, "User"],
    ["one that quotes the marker further down", `> ${MARKER}\n${MARKER}`, "Bot"],
    ["one with another key", "<!-- runner-egress:drift -->", "Bot"],
    ["one without text", null, "Bot"],
  ])("leaves %s alone", async (_, body, type) => {
    github.add(github.comments, body, type);
    await upsertComment(repository, 7, MARKER, `${MARKER}\nnew`);
    expect(github.comments.map((comment) => comment.body)).toEqual([body, `${MARKER}\nnew`]);
  });

  it("is written once where GitHub is in trouble for a while", async () => {
    github.trouble.push(502, 429);
    await upsertComment(repository, 7, MARKER, `${MARKER}\nonly`);
    expect(github.comments.map(({ body }) => body)).toEqual([`${MARKER}\nonly`]);
    expect(github.requests).toHaveLength(4);
  });

  it("is given up where the trouble lasts", async () => {
    github.trouble.push(...Array<number>(40).fill(503));
    await expect(upsertComment(repository, 7, MARKER, MARKER)).rejects.toThrow(/503.*try again/);
    expect(github.comments).toEqual([]);
  });

  it("that is refused is an error with the answer", async () => {
    const wrong = { ...repository, token: "wrong" };
    await expect(upsertComment(wrong, 7, MARKER, MARKER)).rejects.toThrow(/401.*Bad credentials/);
  });
});

describe("the drift issue", () => {
  it("is opened, updated while open, closed, and opened anew after that", async () => {
    await upsertIssue(repository, "Drift", MARKER, `${MARKER}\none`);
    await upsertIssue(repository, "Drift", MARKER, `${MARKER}\ntwo`);
    expect(github.issues).toMatchObject([{ title: "Drift", body: `${MARKER}\ntwo` }]);
    await closeIssue(repository, MARKER);
    expect(github.issues[0]?.state).toBe("closed");
    await upsertIssue(repository, "Drift", MARKER, `${MARKER}\nthree`);
    expect(github.issues).toHaveLength(2);
  });

  it("is no pull request that has the marker", async () => {
    github.add(github.issues, MARKER, "Bot", { pull_request: {} });
    await closeIssue(repository, MARKER);
    expect(github.requests).toEqual(["GET /repos/o/r/issues"]);
  });

  it("is not closed where none is open", async () => {
    await closeIssue(repository, MARKER);
    expect(github.requests).toEqual(["GET /repos/o/r/issues"]);
  });
});

describe("npm run ci:comment", () => {
  const comment = (args: readonly string[], env: Record<string, string> = {}) =>
    capture(process.execPath, [join(ROOT, "ci/comment.ts"), ...args], {
      env: {
        GITHUB_API_URL: repository.api,
        GITHUB_REPOSITORY: repository.name,
        GITHUB_TOKEN: repository.token,
        PULL_REQUEST: "7",
        ...env,
      },
    });
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "runner-egress-comment-"));
    return () => rmSync(folder, { recursive: true });
  });

  it("says for each stack without a preview that there is none, in one comment", async () => {
    const { status, stderr } = await comment(["pull-request", "staging", "prod", "--from", folder]);
    expect(status).toBe(2);
    expect(stderr).toContain("No preview that could be deployed: staging, prod.");
    expect(github.comments).toHaveLength(1);
    expect(github.comments[0]?.body?.match(/there is no preview/g)).toHaveLength(2);
    expect(github.comments[0]?.body).toContain("cannot conclude");
  });

  it("tells the reviewer of a pull request that changes what judges it, and where the reports are", async () => {
    github.files.push(...Array<string>(100).fill("docs/config.md"), "guardrails/union.ts", "policy-pack/readPlan.ts");
    github.artifacts.push("preview-staging", "staging.report.html");
    await comment(["pull-request", "staging", "--from", folder], {
      GITHUB_SERVER_URL: "https://github.example",
      GITHUB_RUN_ID: "42",
    });
    const body = github.comments[0]?.body ?? "";
    expect(body).toContain("changes what judges it");
    expect(body).toContain("`guardrails/union.ts`, `policy-pack/readPlan.ts`. Review");
    expect(body).toContain("[staging](https://github.example/o/r/actions/runs/42/artifacts/1)");
    github.files.length = 0;
    await comment(["pull-request", "staging", "--from", folder]);
    expect(github.comments[0]?.body).not.toContain("changes what judges it");
  });

  it("is red where a job failed early and left what an earlier attempt found, and says that it may be stale", async () => {
    writeFileSync(join(folder, "staging.approval.json"), "{}");
    copyFileSync(join(ROOT, "docs/examples/preview-staging.jsonl"), join(folder, "staging.events.jsonl"));
    const args = ["pull-request", "staging", "--from", folder];
    expect(await comment(args, { JOBS: "success" })).toMatchObject({ status: 0 });
    expect(github.comments[0]?.body).not.toContain("earlier attempt");
    for (const JOBS of ["failure", "cancelled", "skipped"]) {
      expect(await comment(args, { JOBS }), JOBS).toMatchObject({ status: 2 });
    }
    expect(github.comments[0]?.body).toContain("may be of an earlier attempt");
  });

  it("does not close the drift issue for a record of an earlier attempt", async () => {
    const record = (state: string) =>
      writeFileSync(
        join(folder, "staging.drift.json"),
        JSON.stringify({ stack: "staging", state, reasons: ["it moved"] }),
      );
    record("moved");
    await comment(["drift", "staging", "--from", folder], { JOBS: "failure" });
    expect(github.issues[0]?.body).toContain("it moved");
    record("same");
    await comment(["drift", "staging", "--from", folder], { JOBS: "failure" });
    expect(github.issues).toMatchObject([{ body: expect.stringContaining("the check did not run to its end") }]);
    expect(github.issues[0]?.state).toBeUndefined();
    await comment(["drift", "staging", "--from", folder], { JOBS: "success" });
    expect(github.issues[0]?.state).toBe("closed");
  });

  it("is red for a fork, and writes nothing: its token may not", async () => {
    const { status, stderr } = await comment(["pull-request", "staging", "--from", folder], { FROM_FORK: "true" });
    expect(status).toBe(2);
    expect(stderr).toContain("This pull request comes from a fork");
    expect(github.requests).toEqual([]);
  });

  it("opens an issue for checks that did not run, because silence would look like no drift", async () => {
    expect(await comment(["drift", "staging", "--from", folder])).toMatchObject({ status: 0 });
    expect(github.issues).toHaveLength(1);
    expect(github.issues[0]?.body).toMatch(
      /\*\*staging\*\* could not be checked:\n\n- `the check did not run to its end`/,
    );
  });

  it.each([
    ["nothing to post", ["pull-request"], {}, "for which stacks"],
    ["a pull request that is no number", ["pull-request", "staging"], { PULL_REQUEST: "7/../8" }, "PULL_REQUEST"],
    ["no token", ["pull-request", "staging"], { GITHUB_TOKEN: "" }, "GITHUB_TOKEN is not set"],
  ])("refuses %s", async (_, args, env, told) => {
    const { status, stderr } = await comment(args, env);
    expect(status).toBe(3);
    expect(stderr).toContain(told);
    expect(github.comments).toEqual([]);
  });
});

it.each([
  ["prod", true],
  ["staging", false],
])("whether people approve %s is asked of its environment", async (environment, is) => {
  github.settings.environment("prod", [{ type: "Team", id: 1 }]);
  github.settings.environment("staging", []);
  expect(await hasReviewers(repository, environment)).toBe(is);
});

it("the repository of a run is that of its environment", () => {
  const environment = { GITHUB_API_URL: "http://api", GITHUB_REPOSITORY: "o/r", GITHUB_TOKEN: "t" };
  expect(repositoryOf(environment)).toEqual({ api: "http://api", name: "o/r", token: "t" });
});
