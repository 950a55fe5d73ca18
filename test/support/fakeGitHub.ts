import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { text } from "node:stream/consumers";
import { FakeGitHubSettings } from "./fakeGitHubSettings.ts";

/** A comment or an issue. */
export interface FakePost {
  readonly url: string;
  title?: string;
  body: string | null;
  state?: string;
  readonly user: { readonly type: string };
  readonly pull_request?: object;
}

/** As much of GitHub's REST API as the project uses: settings, lists in pages, creating and changing posts. Its token is `secret`. */
export class FakeGitHub {
  readonly issues: FakePost[] = [];
  /** Those of the pull request. */
  readonly comments: FakePost[] = [];
  /** Method and path of each request. */
  readonly requests: string[] = [];
  /** Files of the pull request. */
  readonly files: string[] = [];
  readonly settings: FakeGitHubSettings;
  /** Names of the artifacts of the run; the id of each is its place. */
  readonly artifacts: string[] = [];
  /** Statuses that the next requests are answered with in the place of anything else. */
  readonly trouble: number[] = [];
  readonly #server: Server;
  readonly #repository: string;
  readonly #pullRequest: number;

  private constructor(repository: string, pullRequest: number) {
    this.#repository = repository;
    this.settings = new FakeGitHubSettings(repository);
    this.#pullRequest = pullRequest;
    this.#server = createServer((request, response) => this.#serve(request, response));
  }

  /** @param repository `OWNER/NAME` */
  static async start(repository: string, pullRequest: number): Promise<FakeGitHub> {
    const github = new FakeGitHub(repository, pullRequest);
    await new Promise<void>((resolve) => github.#server.listen(0, "127.0.0.1", resolve));
    return github;
  }

  stop(): void {
    this.#server.closeAllConnections();
    this.#server.close();
  }

  get origin(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  /** @param type `Bot` or `User` */
  add(list: FakePost[], body: string | null, type: string, more: object = {}): void {
    const path = list === this.comments ? "issues/comments" : "issues";
    list.push({
      ...more,
      url: `${this.origin}/repos/${this.#repository}/${path}/${list.length}`,
      body,
      user: { type },
    });
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const url = new URL(request.url ?? "/", this.origin);
    this.requests.push(`${request.method} ${url.pathname}`);
    const answer = (status: number, content: unknown) => {
      response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(content));
    };
    if (request.headers.authorization !== "Bearer secret") {
      return answer(401, { message: "Bad credentials" });
    }
    const trouble = this.trouble.shift();
    if (trouble !== undefined) {
      response.setHeader("retry-after", "0");
      return answer(trouble, { message: "try again" });
    }
    const content = JSON.parse((await text(request)) || "{}") as Partial<FakePost>;
    const setting = this.settings.answer(request.method ?? "", url.pathname, content as Record<string, unknown>);
    if (setting !== undefined) {
      return answer(...setting);
    }
    const path = url.pathname.replace(`/repos/${this.#repository}/`, "");
    if (/^actions\/runs\/[^/]+\/artifacts$/.test(path)) {
      return answer(200, { artifacts: this.artifacts.map((name, id) => ({ id, name })) });
    }
    if (path === `pulls/${this.#pullRequest}/files`) {
      const [page, size] = [Number(url.searchParams.get("page")), Number(url.searchParams.get("per_page"))];
      return answer(
        200,
        this.files.slice((page - 1) * size, page * size).map((filename) => ({ filename })),
      );
    }
    const isComments = path === `issues/${this.#pullRequest}/comments` || path.startsWith("issues/comments/");
    const list = isComments ? this.comments : this.issues;
    if (request.method === "GET") {
      const [page, size] = [Number(url.searchParams.get("page")), Number(url.searchParams.get("per_page"))];
      const state = url.searchParams.get("state");
      const shown = list.filter((post) => state === null || (post.state ?? "open") === state);
      return answer(200, shown.slice((page - 1) * size, page * size));
    }
    if (request.method === "POST") {
      this.add(list, content.body ?? null, "Bot", content);
      return answer(201, list.at(-1));
    }
    const post = list[Number(path.split("/").at(-1))];
    return post === undefined ? answer(404, { message: "Not Found" }) : answer(200, Object.assign(post, content));
  }
}
