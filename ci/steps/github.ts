import { Refusal } from "./refusal.ts";

/** Where the REST API is and for which repository. */
export interface Repository {
  /** Such as `https://api.github.com`. */
  readonly api: string;
  /** `OWNER/NAME`. */
  readonly name: string;
  readonly token: string;
}

/** A comment or an issue, in the members that matter here. */
interface Post {
  readonly number?: number;
  readonly url: string;
  readonly body: string | null;
  readonly user: { readonly type: string } | null;
  /** Only with an issue that is a pull request. */
  readonly pull_request?: unknown;
}

const PAGE = 100;
const PATIENCE_MS = 30_000;

/** The repository of a workflow run. */
export function repositoryOf(environment: NodeJS.ProcessEnv): Repository {
  const { GITHUB_API_URL: api, GITHUB_REPOSITORY: name, GITHUB_TOKEN: token } = environment;
  const missing = Object.entries({ GITHUB_API_URL: api, GITHUB_REPOSITORY: name, GITHUB_TOKEN: token })
    .filter(([, value]) => !value)
    .map(([key]) => `${key} is not set`);
  if (!api || !name || !token) {
    throw new Refusal("This step runs in a workflow, which says where to post:", missing);
  }
  return { api, name, token };
}

/** Writes the comment of this marker on a pull request or an issue, over the earlier one if there is one. */
export async function upsertComment(repository: Repository, number: number, marker: string, body: string) {
  const path = `/repos/${repository.name}/issues/${number}/comments`;
  const earlier = await find(repository, path, {}, marker);
  await (earlier === undefined
    ? send(repository, "POST", `${repository.api}${path}`, { body })
    : send(repository, "PATCH", earlier.url, { body }));
}

/** Opens the issue of this marker, or updates the open one. */
export async function upsertIssue(repository: Repository, title: string, marker: string, body: string) {
  const path = `/repos/${repository.name}/issues`;
  const open = await find(repository, path, { state: "open" }, marker);
  await (open === undefined
    ? send(repository, "POST", `${repository.api}${path}`, { title, body })
    : send(repository, "PATCH", open.url, { title, body }));
}

/** Closes the issue of this marker, if one is open. */
export async function closeIssue(repository: Repository, marker: string) {
  const open = await find(repository, `/repos/${repository.name}/issues`, { state: "open" }, marker);
  if (open !== undefined) {
    await send(repository, "PATCH", open.url, { state: "closed", state_reason: "completed" });
  }
}

/**
 * The first post that a workflow wrote with this marker as its first line. A person's post never counts: anybody can copy
 * a marker.
 */
async function find(
  repository: Repository,
  path: string,
  query: Readonly<Record<string, string>>,
  marker: string,
): Promise<Post | undefined> {
  for (let page = 1; ; page++) {
    const parameters = new URLSearchParams({ ...query, per_page: String(PAGE), page: String(page) });
    const posts = (await send(repository, "GET", `${repository.api}${path}?${parameters}`)) as Post[];
    const found = posts.find(
      ({ body, user, pull_request }) =>
        pull_request === undefined && user?.type === "Bot" && body?.split(/\r?\n/, 1)[0] === marker,
    );
    if (found !== undefined || posts.length < PAGE) {
      return found;
    }
  }
}

async function send({ token }: Repository, method: "GET" | "POST" | "PATCH", url: string, content?: object) {
  const response = await fetch(url, {
    method,
    headers: {
      accept: "application/vnd.github+json",
      authorization: `Bearer ${token}`,
      "x-github-api-version": "2022-11-28",
      ...(content && { "content-type": "application/json" }),
    },
    signal: AbortSignal.timeout(PATIENCE_MS),
    ...(content && { body: JSON.stringify(content) }),
  });
  const text = await response.text();
  if (!response.ok) {
    throw new Refusal(`${method} ${url}: ${response.status} ${text.slice(0, 500)}`);
  }
  return JSON.parse(text) as unknown;
}
