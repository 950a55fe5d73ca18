/** Calls of an AWS-compatible API on loopback. Its signatures are not checked, so these are made up. */
export class AwsApi {
  readonly #endpoint: string;
  readonly #region: string;

  constructor(region: string) {
    this.#endpoint = process.env.AWS_ENDPOINT_URL ?? "";
    this.#region = region;
  }

  /**
   * Calls a Query API (`ec2`, `rds`), which answers in XML.
   *
   * @param parameters values by name, such as `Filter.1.Name`
   */
  async query(service: "ec2" | "rds", action: string, parameters: Readonly<Record<string, string>>): Promise<string> {
    const version = service === "ec2" ? "2016-11-15" : "2014-10-31";
    const body = new URLSearchParams({ Action: action, Version: version, ...parameters });
    return this.#send(service, "POST", "/", { body, type: "application/x-www-form-urlencoded" });
  }

  /** Calls the REST API of EKS. */
  async eks(method: "POST" | "DELETE", path: string, content: object = {}): Promise<void> {
    await this.#send("eks", method, path, { body: JSON.stringify(content), type: "application/json" });
  }

  /** Makes a bucket. */
  async createBucket(name: string): Promise<void> {
    await this.#send("s3", "PUT", `/${name}`, { body: "", type: "application/xml" });
  }

  /** Makes a key for encryption; `alias` without `alias/`. */
  async createKey(alias: string): Promise<void> {
    const call = (action: string, content: object) =>
      this.#send("kms", "POST", "/", {
        body: JSON.stringify(content),
        type: "application/x-amz-json-1.1",
        target: `TrentService.${action}`,
      });
    const { KeyMetadata } = JSON.parse(await call("CreateKey", {})) as { KeyMetadata: { KeyId: string } };
    await call("CreateAlias", { AliasName: `alias/${alias}`, TargetKeyId: KeyMetadata.KeyId });
  }

  async #send(
    service: string,
    method: string,
    path: string,
    { body, type, target }: { body: string | URLSearchParams; type: string; target?: string },
  ) {
    const scope = `${process.env.AWS_ACCESS_KEY_ID}/20260101/${this.#region}/${service}/aws4_request`;
    const authorization = `AWS4-HMAC-SHA256 Credential=${scope}, SignedHeaders=host, Signature=none`;
    const headers = { "content-type": type, authorization, ...(target && { "x-amz-target": target }) };
    const response = await fetch(new URL(path, this.#endpoint), { method, headers, body });
    const text = await response.text();
    if (!response.ok) {
      throw new Error(`${service} ${method} ${path}: ${response.status} ${text}`);
    }
    return text;
  }
}

/** The text of the first XML element of this name. */
export function element(xml: string, name: string): string {
  const found = new RegExp(`<${name}>([^<]*)</${name}>`).exec(xml)?.[1];
  if (found === undefined) {
    throw new Error(`no <${name}> in ${xml}`);
  }
  return found;
}
