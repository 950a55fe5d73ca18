import { createServer, type Server } from "node:https";
import type { AddressInfo } from "node:net";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { getFromApi } from "../../lookups/apiServer.ts";
import { accessFrom } from "../../lookups/kubeconfig.ts";
import { kubeconfigOf } from "../support/apiServer.ts";

// Of no server but the one below: signed by itself, for 127.0.0.1 and cluster.test.
const CERTIFICATE = `-----BEGIN CERTIFICATE-----
MIIBuDCCAV6gAwIBAgIUfgzQqTip6xnvLZOHXKIzM7o7D/wwCgYIKoZIzj0EAwIw
ITEfMB0GA1UEAwwWYW4gQVBJIHNlcnZlciBpbiB0ZXN0czAgFw0yNjExMjQxODUz
NTNaGA8yMTI2MTAzMTE4NTM1M1owITEfMB0GA1UEAwwWYW4gQVBJIHNlcnZlciBp
biB0ZXN0czBZMBMGByqGSM49AgEGCCqGSM49AwEHA0IABJFhOkFoDtgcEoZ33OrY
VA2NzZGRBn/1xem6kFCxrPrYJ8Ow9nJj3op7tGY7AF8MRzbobg4/HcSbmA+nE1Jh
F3ejcjBwMB0GA1UdDgQWBBSu9igyVi99IcpMw8dltojfsJw1xzAfBgNVHSMEGDAW
gBSu9igyVi99IcpMw8dltojfsJw1xzAPBgNVHRMBAf8EBTADAQH/MB0GA1UdEQQW
MBSHBH8AAAGCDGNsdXN0ZXIudGVzdDAKBggqhkjOPQQDAgNIADBFAiAFU7PNjfW4
qKaWWZMFU1Aa+0gVe54MSAiOXiAqRgRinAIhAKW85q4vqc2SLhHz8EQPV1ItPSfV
3Rq9Lfnn39ixbNTr
-----END CERTIFICATE-----`;
const KEY = `-----BEGIN PRIVATE KEY-----
MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgX7Zk2uqfSCeVR8dC
IxgK826cz9ZWEj1eGYstIuyTckihRANCAASRYTpBaA7YHBKGd9zq2FQNjc2RkQZ/
9cXpupBQsaz62CfDsPZyY96Ke7RmOwBfDEc26G4OPx3Em5gPpxNSYRd3
-----END PRIVATE KEY-----`;

describe("an API server with a certificate of its own", () => {
  let server: Server;
  let asked = 0;
  beforeAll(async () => {
    server = createServer({ cert: CERTIFICATE, key: KEY }, (_, response) => {
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
  const authority = { "certificate-authority-data": Buffer.from(CERTIFICATE).toString("base64") };

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
