/** An environment, as the API tells it. */
interface Environment {
  readonly name: string;
  readonly deployment_branch_policy: unknown;
  readonly protection_rules: readonly { readonly type: string }[];
}

/** What a request is answered with. */
export type Answer = readonly [status: number, content: unknown];

/** Settings of a repository: environments with their rules, variables, branch protection. Nothing is there at first. */
export class FakeGitHubSettings {
  readonly #repository: string;
  /** What a GET answers, by path. */
  readonly content = new Map<string, object>();

  /** @param repository `OWNER/NAME` */
  constructor(repository: string) {
    this.#repository = repository;
    this.content.set(`/repos/${repository}`, { id: 7654321, owner: { id: 1234567 } });
  }

  /** Makes people approve the jobs of an environment, or nobody. */
  environment(name: string, reviewers: readonly object[]): void {
    this.#putEnvironment(this.#path(`environments/${name}`), { reviewers });
  }

  /** `undefined`: the request is about something else. */
  answer(method: string, path: string, body: Readonly<Record<string, unknown>>): Answer | undefined {
    const isSetting = /\/(environments|actions\/variables|branches)\b/.test(path);
    if (method === "GET") {
      const found = this.content.get(path);
      return found !== undefined ? [200, found] : isSetting || !path.startsWith(this.#path("")) ? missing : undefined;
    }
    if (!isSetting) {
      return undefined;
    }
    if (method === "PUT" && path.includes("/environments/")) {
      return [200, this.#putEnvironment(path, body)];
    }
    if (method === "PUT" && path.endsWith("/protection")) {
      const { enforce_admins, ...rest } = body;
      const off = { enabled: false };
      const told = {
        ...rest,
        enforce_admins: { enabled: enforce_admins },
        allow_force_pushes: off,
        allow_deletions: off,
      };
      this.content.set(path, told);
      return [200, told];
    }
    const environment = /^.*\/environments\/[^/]+/.exec(path)?.[0];
    if (environment !== undefined && !this.content.has(environment)) {
      return missing;
    }
    if (method === "POST" && path.endsWith("/variables")) {
      const place = `${path}/${body.name}`;
      if (this.content.has(place)) {
        return [409, { message: "Already exists" }];
      }
      this.content.set(place, body);
      return [201, {}];
    }
    if (method === "POST" && path.endsWith("/deployment-branch-policies")) {
      const { branch_policies = [] } = (this.content.get(path) ?? {}) as { branch_policies?: object[] };
      this.content.set(path, { branch_policies: [...branch_policies, body] });
      return [200, body];
    }
    return missing;
  }

  #putEnvironment(path: string, { reviewers = [], ...body }: Readonly<Record<string, unknown>>): Environment {
    const list = (reviewers as readonly { type: string; id: number }[]).map(({ type, id }) => ({
      type,
      reviewer: { id },
    }));
    const required = {
      type: "required_reviewers",
      prevent_self_review: body.prevent_self_review ?? false,
      reviewers: list,
    };
    const policy = body.deployment_branch_policy ?? null;
    const told = {
      name: path.split("/").at(-1) ?? "",
      deployment_branch_policy: policy,
      protection_rules: [
        ...(list.length > 0 ? [required] : []),
        ...(policy === null ? [] : [{ type: "branch_policy" }]),
      ],
    };
    this.content.set(path, told);
    return told;
  }

  #path(rest: string): string {
    return `/repos/${this.#repository}/${rest}`;
  }
}

const missing: Answer = [404, { message: "Not Found" }];
