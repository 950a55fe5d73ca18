import { type Ended, retryAfter, retrying } from "../kube/retry.ts";
import { misused, Refusal } from "./refusal.ts";

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
    throw misused("This step runs in a workflow, which says where to post:", missing);
  }
  return { api, name, token };
}

/** Writes the comment of this marker on a pull request or an issue, over the earlier one if there is one. */
export async function upsertComment(repository: Repository, number: number, marker: string, body: string) {
  const path = `/repos/${repository.name}/issues/${number}/comments`;
  await upsert(repository, path, {}, marker, { body });
}

/** Opens the issue of this marker, or updates the open one. */
export async function upsertIssue(repository: Repository, title: string, marker: string, body: string) {
  await upsert(repository, `/repos/${repository.name}/issues`, { state: "open" }, marker, { title, body });
}

/** Paths of the files that a pull request adds, changes, removes or renames, as they are called before and after. */
export async function changedFiles(repository: Repository, number: number): Promise<string[]> {
  const path = `/repos/${repository.name}/pulls/${number}/files`;
  const files: { readonly filename: string; readonly previous_filename?: string }[] = [];
  for await (const page of pagesOf<(typeof files)[number]>(repository, path, {})) {
    files.push(...page);
  }
  return files.flatMap(({ filename, previous_filename }) => [
    filename,
    ...(previous_filename ? [previous_filename] : []),
  ]);
}

/** Whether people have to approve a job of an environment before it runs. */
export async function hasReviewers(repository: Repository, environment: string): Promise<boolean> {
  const url = `${repository.api}/repos/${repository.name}/environments/${encodeURIComponent(environment)}`;
  const { protection_rules = [] } = (await send(repository, "GET", url)) as {
    readonly protection_rules?: readonly { readonly type: string; readonly reviewers?: readonly unknown[] }[];
  };
  return protection_rules.some(({ type, reviewers = [] }) => type === "required_reviewers" && reviewers.length > 0);
}

/** Addresses of the artifacts of the workflow run, by name; none outside of one. */
export async function artifacts(repository: Repository, environment: NodeJS.ProcessEnv): Promise<Map<string, string>> {
  const { GITHUB_SERVER_URL: server, GITHUB_RUN_ID: run } = environment;
  if (!server || !run) {
    return new Map();
  }
  const url = `${repository.api}/repos/${repository.name}/actions/runs/${run}/artifacts?per_page=${PAGE}`;
  const { artifacts: found } = (await send(repository, "GET", url)) as { artifacts: { id: number; name: string }[] };
  return new Map(
    found.map(({ id, name }) => [name, `${server}/${repository.name}/actions/runs/${run}/artifacts/${id}`]),
  );
}

/** A post that may have been written although the answer got lost is looked for again before it is written again. */
function upsert(
  repository: Repository,
  path: string,
  query: Readonly<Record<string, string>>,
  marker: string,
  content: object,
): Promise<unknown> {
  return retrying(async () => {
    const earlier = await find(repository, path, query, marker);
    return earlier === undefined
      ? send(repository, "POST", `${repository.api}${path}`, content)
      : send(repository, "PATCH", earlier.url, content);
  }, passes);
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
  for await (const posts of pagesOf<Post>(repository, path, query)) {
    const found = posts.find(
      ({ body, user, pull_request }) =>
        pull_request === undefined && user?.type === "Bot" && body?.split(/\r?\n/, 1)[0] === marker,
    );
    if (found !== undefined) {
      return found;
    }
  }
  return undefined;
}

async function* pagesOf<T>(
  repository: Repository,
  path: string,
  query: Readonly<Record<string, string>>,
): AsyncGenerator<readonly T[]> {
  for (let page = 1; ; page++) {
    const parameters = new URLSearchParams({ ...query, per_page: String(PAGE), page: String(page) });
    const members = (await send(repository, "GET", `${repository.api}${path}?${parameters}`)) as T[];
    yield members;
    if (members.length < PAGE) {
      return;
    }
  }
}

/** What was asked for is not there, or not for whom the token belongs to. */
export class NotFound extends Refusal {}

/** An answer that GitHub asks to be asked again for: too many requests, or trouble on its side. */
class Busy extends Refusal {
  readonly retryAfter: number | undefined;

  constructor(message: string, after: number | undefined) {
    super(message);
    this.retryAfter = after;
  }
}

function passes(ended: Ended<unknown>): number | boolean {
  return "error" in ended && ended.error instanceof Busy && (ended.error.retryAfter ?? true);
}

/**
 * Sends a request. All but a POST, which could do something twice, are sent again while GitHub is in trouble.
 *
 * @returns the answer's JSON; `undefined` where it is empty
 * @throws {NotFound} for a 404; {@link Refusal} for any other answer that is not a success.
 */
export function send(
  repository: Pick<Repository, "token">,
  method: "GET" | "POST" | "PUT" | "PATCH",
  url: string,
  content?: object,
): Promise<unknown> {
  return method === "POST"
    ? sendOnce(repository, method, url, content)
    : retrying(() => sendOnce(repository, method, url, content), passes);
}

async function sendOnce({ token }: Pick<Repository, "token">, method: string, url: string, content?: object) {
  const request = {
    method,
    headers: {
      accept: "application/vnd.github+json",
      authorization: `Bearer ${token}`,
      "x-github-api-version": "2022-11-28",
      ...(content && { "content-type": "application/json" }),
    },
    signal: AbortSignal.timeout(PATIENCE_MS),
    ...(content && { body: JSON.stringify(content) }),
  };
  const response = await fetch(url, request).catch((error: Error) => {
    throw new Busy(`${method} ${url}: ${(error.cause as Error | undefined)?.message ?? error.message}`, undefined);
  });
  const text = await response.text();
  if (!response.ok) {
    const message = `${method} ${url}: ${response.status} ${text.slice(0, 500)}`;
    const after = retryAfter(response.headers.get("retry-after"));
    // The second limit of the API is a 403 with that header.
    const isBusy =
      response.status === 429 || response.status >= 500 || (response.status === 403 && after !== undefined);
    throw isBusy ? new Busy(message, after) : response.status === 404 ? new NotFound(message) : new Refusal(message);
  }
  return text === "" ? undefined : (JSON.parse(text) as unknown);
}
