import { afterEach, describe, expect, it } from "vitest";
import { describeProblem, type Problem } from "../../../analysis/problems.ts";
import { judgeAnswer, readLivePolicy } from "../../../program/lookups/livePolicy.ts";
import { kubeconfigOf, startApiServer, type TestApiServer } from "../../support/apiServer.ts";

const WHERE = "NetworkPolicy keeperhub/runner";
const MANAGED = [
  { manager: "pulumi-kubernetes", fieldsV1: { "f:spec": { "f:egress": {} } } },
  { manager: "labeller", fieldsV1: { "f:metadata": {} } },
];
const LIVE = {
  kind: "NetworkPolicy",
  metadata: { name: "runner", resourceVersion: "7", annotations: { a: "b" }, managedFields: MANAGED },
  spec: { podSelector: {}, policyTypes: ["Egress"] },
};

function judge(status: number, body: unknown) {
  const problems: Problem[] = [];
  return { live: judgeAnswer(WHERE, { status, body }, problems), problems: problems.map(describeProblem) };
}

describe("an answer of the API server", () => {
  it("with the policy gives its spec and annotations", () => {
    expect(judge(200, LIVE)).toEqual({
      live: { resourceVersion: "7", annotations: { a: "b" }, spec: LIVE.spec, writers: ["pulumi-kubernetes"] },
      problems: [],
    });
    expect(judge(200, { ...LIVE, metadata: { resourceVersion: "7" } }).live).toMatchObject({
      annotations: {},
      writers: [],
    });
  });

  it("that says so means that there is none", () => {
    expect(judge(404, { kind: "Status", message: "not found" })).toEqual({ live: undefined, problems: [] });
  });

  it.each([
    [
      404,
      "404 page not found",
      `${WHERE}: the API server answered 404: no reason given. Try again when the API server is well`,
    ],
    [
      401,
      { message: "Unauthorized" },
      `${WHERE}: the API server answered 401: Unauthorized. The credentials are not accepted: check the EKS access entry ` +
        "or the kubeconfig's user",
    ],
    [
      403,
      { message: "User x cannot get resource networkpolicies" },
      `${WHERE}: the API server answered 403: User x cannot get resource networkpolicies. Grant the verb get on ` +
        "networkpolicies.networking.k8s.io (docs/permissions.md)",
    ],
    [503, "upstream", `${WHERE}: the API server answered 503: no reason given. Try again when the API server is well`],
    [404, null, `${WHERE}: the API server answered 404: no reason given. Try again when the API server is well`],
    [200, null, `${WHERE}: the API server answered something that is no NetworkPolicy`],
    [200, "<html>", `${WHERE}: the API server answered something that is no NetworkPolicy`],
    [200, { metadata: {}, spec: {} }, `${WHERE}: the API server answered something that is no NetworkPolicy`],
    [
      200,
      { metadata: { resourceVersion: "1" } },
      `${WHERE}: the API server answered something that is no NetworkPolicy`,
    ],
  ])("of status %i and %j is a problem", (status, body, problem) => {
    expect(judge(status, body)).toEqual({ live: undefined, problems: [problem] });
  });
});

describe("readLivePolicy", () => {
  let server: TestApiServer | undefined;

  afterEach(() => {
    server?.close();
    server = undefined;
  });

  async function apiServer(answer: Parameters<typeof startApiServer>[0]) {
    server = await startApiServer(answer);
    return server.kubeconfig;
  }

  it("asks for exactly this object, with the user's credentials", async () => {
    const asked: unknown[] = [];
    const config = await apiServer(({ method, url, headers }) => {
      asked.push([method, url, headers.authorization]);
      return [200, LIVE];
    });
    const problems: Problem[] = [];
    const live = await readLivePolicy({ kubeconfig: config }, "keeperhub", "runner", problems);
    expect(live?.resourceVersion).toBe("7");
    expect(problems).toEqual([]);
    expect(asked).toEqual([
      ["GET", "/prefix/apis/networking.k8s.io/v1/namespaces/keeperhub/networkpolicies/runner", "Bearer secret"],
    ]);
  });

  it("asks with the rights of somebody else where the kubeconfig says so", async () => {
    const asked: unknown[] = [];
    const config = await apiServer(({ headers }) => {
      asked.push([headers["impersonate-user"], headers["impersonate-group"]]);
      return [200, LIVE];
    });
    const robot = {
      ...config,
      users: [{ name: "u", user: { token: "secret", as: "robot", "as-groups": ["a", "b"] } }],
    };
    await readLivePolicy({ kubeconfig: robot }, "keeperhub", "runner", []);
    expect(asked).toEqual([["robot", "a, b"]]);
  });

  it("notes that nobody answers", async () => {
    const problems: Problem[] = [];
    const closed = kubeconfigOf("http://127.0.0.1:1");
    expect(await readLivePolicy({ kubeconfig: closed }, "keeperhub", "runner", problems)).toBeUndefined();
    expect(problems.map(describeProblem)).toEqual([
      `${WHERE}: the API server can't be reached: connect ECONNREFUSED 127.0.0.1:1. Nothing is planned without a look at ` +
        "the live policy; check runner-egress:cluster, the network path and the credentials",
    ]);
  });

  it("notes a kubeconfig that leads nowhere", async () => {
    const problems: Problem[] = [];
    const broken = { ...kubeconfigOf("http://127.0.0.1:1"), "current-context": "other" };
    expect(await readLivePolicy({ kubeconfig: broken }, "keeperhub", "runner", problems)).toBeUndefined();
    expect(problems.map(describeProblem)).toEqual([
      expect.stringContaining('the kubeconfig has no context "other"; it has c. Nothing is planned'),
    ]);
  });
});
