import { createServer, request, type Server } from "node:https";
import type { AddressInfo } from "node:net";
import { accessFrom, readKubeconfig } from "../../../kube/kubeconfig.ts";
import { selfSigned } from "../../support/selfSigned.ts";
import type { AwsFront } from "./awsFront.ts";
import { signatureOf } from "./awsRequests.ts";

/**
 * Stands before an API server as EKS does: takes the tokens of `aws eks get-token`, which are presigned requests for the
 * caller's identity, and lets the caller act with the groups of the access entries of its role, and with nothing else.
 */
export class EksAuthenticator {
  /** PEM. */
  readonly certificateAuthority: string;
  readonly #server: Server;

  private constructor(certificateAuthority: string, server: Server) {
    this.certificateAuthority = certificateAuthority;
    this.#server = server;
  }

  /** @param groupsOf the groups of a role in the only cluster, which plays those of all stacks */
  static async start(front: AwsFront, groupsOf: (role: string) => readonly string[]): Promise<EksAuthenticator> {
    const administrator = await accessFrom(await readKubeconfig());
    const target = new URL(administrator.server);
    const certificate = selfSigned("IP:127.0.0.1");
    if (certificate === undefined) {
      throw new Error("there is no openssl to make a certificate with");
    }
    const server = createServer({ ...certificate }, (incoming, response) => {
      const role = front.roleOf(accessKeyOf(incoming.headers.authorization ?? "") ?? "");
      if (role === undefined) {
        response.writeHead(401, { "content-type": "application/json" });
        response.end(JSON.stringify({ kind: "Status", apiVersion: "v1", status: "Failure", code: 401 }));
        return;
      }
      const outgoing = request(
        {
          hostname: target.hostname,
          port: target.port,
          method: incoming.method,
          path: incoming.url,
          ca: administrator.certificateAuthority,
          headers: {
            ...incoming.headers,
            authorization: `Bearer ${administrator.token}`,
            "impersonate-user": role.name,
            "impersonate-group": [...groupsOf(role.name), "system:authenticated"],
          },
        },
        (answer) => {
          response.writeHead(answer.statusCode ?? 502, answer.headers);
          answer.pipe(response);
        },
      );
      outgoing.once("error", () => response.destroy());
      incoming.pipe(outgoing);
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    return new EksAuthenticator(certificate.cert, server);
  }

  get url(): string {
    return `https://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  stop(): void {
    this.#server.closeAllConnections();
    this.#server.close();
  }
}

/** The access key that presigned a token. */
function accessKeyOf(authorization: string): string | undefined {
  const encoded = /^Bearer k8s-aws-v1\.(.+)$/.exec(authorization)?.[1];
  const url = Buffer.from(encoded ?? "", "base64url").toString();
  return URL.canParse(url) ? signatureOf({}, new URL(url))?.accessKeyId : undefined;
}
