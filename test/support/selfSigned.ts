import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** A certificate that is its own authority, and its key; PEM. */
export interface SelfSigned {
  readonly cert: string;
  readonly key: string;
}

/**
 * Makes a certificate for a server of a test with the `openssl` command, so that no key lies in the repository.
 *
 * @param names as in a subjectAltName, such as `IP:127.0.0.1`
 * @returns `undefined` where there is no openssl
 */
export function selfSigned(...names: string[]): SelfSigned | undefined {
  const folder = mkdtempSync(join(tmpdir(), "runner-egress-tls-"));
  const [key, cert] = [join(folder, "key.pem"), join(folder, "cert.pem")];
  const kind = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2"];
  const subject = ["-subj", "/CN=a server in tests", "-addext", `subjectAltName=${names.join()}`];
  try {
    execFileSync("openssl", ["req", "-x509", ...kind, ...subject, "-keyout", key, "-out", cert], { stdio: "pipe" });
    return { cert: readFileSync(cert, "utf8"), key: readFileSync(key, "utf8") };
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") {
      return undefined;
    }
    throw error;
  } finally {
    rmSync(folder, { recursive: true });
  }
}
