import { createServer, type Server } from "node:https";
import type { AddressInfo } from "node:net";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { getFromApi } from "../../kube/apiServer.ts";
import { accessFrom } from "../../kube/kubeconfig.ts";
import { kubeconfigOf } from "../support/apiServer.ts";
import { selfSigned } from "../support/selfSigned.ts";

const certificate = selfSigned("IP:127.0.0.1", "DNS:cluster.test");

describe.skipIf(certificate === undefined)("an API server with a certificate of its own", () => {
  let server: Server;
  let asked = 0;
  beforeAll(async () => {
    server = createServer({ ...certificate }, (_, response) => {
      asked++;
      response.end('{"kind":"Status"}');
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  });
  afterAll(() => server.close());

  async function ask(cluster: object, host = "127.0.0.1") {
    const kubeconfig = kubeconfigOf(`https://${host}:${(server.address() as AddressInfo).port}`);
    const clusters =
      kubeconfig.clusters?.map((entry) => ({ ...entry, cluster: { ...entry.cluster, ...cluster } })) ?? [];
    return getFromApi(await accessFrom({ ...kubeconfig, clusters }), "/version");
  }
  const authority = { "certificate-authority-data": Buffer.from(certificate?.cert ?? "").toString("base64") };

  it("is not believed, and gets no credentials, unless the kubeconfig names its authority", async () => {
    await expect(ask({})).rejects.toThrow(/self-signed certificate/);
    expect(asked).toBe(0);
    await expect(ask(authority)).resolves.toEqual({ status: 200, body: { kind: "Status" } });
  });

  it("is not believed under another name, unless the kubeconfig gives the name", async () => {
    await expect(ask(authority, "localhost")).rejects.toThrow(/does not match certificate's altnames/);
    await expect(ask({ ...authority, "tls-server-name": "cluster.test" }, "localhost")).resolves.toMatchObject({
      status: 200,
    });
  });

  it("is believed without a proof where the kubeconfig says so", async () => {
    await expect(ask({ "insecure-skip-tls-verify": true })).resolves.toMatchObject({ status: 200 });
  });
});
