import { mkdtempSync, rmSync } from "node:fs";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { json } from "node:stream/consumers";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { capture } from "../../scripts/ci/command.ts";
import { closeIssue, type Repository, repositoryOf, upsertComment, upsertIssue } from "../../scripts/ci/github.ts";

const MARKER = "<!-- runner-egress:review -->";

interface FakePost {
  readonly url: string;
  title?: string;
  body: string | null;
  state?: string;
  readonly user: { readonly type: string };
  readonly pull_request?: object;
}

/** As much of the REST API as is used: lists in pages, creating and changing posts. */
class FakeGitHub {
  readonly issues: FakePost[] = [];
  readonly comments: FakePost[] = [];
  readonly requests: string[] = [];
  readonly server: Server = createServer(async (request, response) => {
    const url = new URL(request.url ?? "/", this.origin);
    this.requests.push(`${request.method} ${url.pathname}`);
    const answer = (status: number, content: unknown) => {
      response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(content));
    };
    if (request.headers.authorization !== "Bearer secret") {
      return answer(401, { message: "Bad credentials" });
    }
    const [, kind, id] =
      /^\/repos\/o\/r\/(?:issues\/7\/(comments)|issues(?:\/comments)?\/?(\d+)?)$/.exec(url.pathname) ?? [];
    const list = kind === "comments" || url.pathname.includes("/comments/") ? this.comments : this.issues;
    if (request.method === "GET") {
      const [page, size] = [Number(url.searchParams.get("page")), Number(url.searchParams.get("per_page"))];
      const state = url.searchParams.get("state");
      const shown = list.filter((post) => state === null || (post.state ?? "open") === state);
      return answer(200, shown.slice((page - 1) * size, page * size));
    }
    const content = (await json(request)) as Partial<FakePost>;
    if (request.method === "POST") {
      this.add(list, content.body ?? null, "Bot", content);
      return answer(201, list.at(-1));
    }
    const post = list[Number(id)];
    return post === undefined ? answer(404, { message: "Not Found" }) : answer(200, Object.assign(post, content));
  });

  get origin(): string {
    return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}`;
  }

  add(list: FakePost[], body: string | null, type: string, more: object = {}): void {
    const path = list === this.comments ? "issues/comments" : "issues";
    list.push({ ...more, url: `${this.origin}/repos/o/r/${path}/${list.length}`, body, user: { type } });
  }
}

let github: FakeGitHub;
let repository: Repository;

beforeAll(async () => {
  github = new FakeGitHub();
  await new Promise<void>((resolve) => github.server.listen(0, "127.0.0.1", resolve));
  repository = { api: github.origin, name: "o/r", token: "secret" };
});
afterAll(() => {
  github.server.closeAllConnections();
  github.server.close();
});
beforeEach(() => {
  for (const list of [github.issues, github.comments, github.requests]) list.length = 0;
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
    capture(process.execPath, ["scripts/comment.ts", ...args], {
      GITHUB_API_URL: repository.api,
      GITHUB_REPOSITORY: repository.name,
      GITHUB_TOKEN: repository.token,
      PULL_REQUEST: "7",
      ...env,
    });
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "runner-egress-comment-"));
    return () => rmSync(folder, { recursive: true });
  });

  it("says for each stack without a preview that there is none, in one comment", async () => {
    expect(await comment(["pull-request", "staging", "prod", "--from", folder])).toMatchObject({ status: 0 });
    expect(github.comments).toHaveLength(1);
    expect(github.comments[0]?.body?.match(/there is no preview/g)).toHaveLength(2);
    expect(github.comments[0]?.body).toContain("cannot conclude");
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
    expect(status).toBe(2);
    expect(stderr).toContain(told);
    expect(github.comments).toEqual([]);
  });
});

it("the repository of a run is that of its environment", () => {
  const environment = { GITHUB_API_URL: "http://api", GITHUB_REPOSITORY: "o/r", GITHUB_TOKEN: "t" };
  expect(repositoryOf(environment)).toEqual({ api: "http://api", name: "o/r", token: "t" });
});
