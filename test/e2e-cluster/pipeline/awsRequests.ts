import type { IamRequest } from "./iamPolicy.ts";

const ACCOUNT = "123456789012";

/** A request to the AWS API. */
export interface AwsRequest {
  readonly method: string;
  readonly url: URL;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly body: string;
}

/** Who signed a request, for which region and service. */
export interface Signature {
  readonly accessKeyId: string;
  readonly region: string;
  readonly service: string;
}

/** `Credential=KEY/DATE/REGION/SERVICE/aws4_request`, of the header or of a presigned address. */
export function signatureOf(headers: AwsRequest["headers"], url: URL): Signature | undefined {
  const header = /Credential=([^,\s]+)/.exec(String(headers.authorization ?? ""))?.[1];
  const [accessKeyId, , region, service] = (header ?? url.searchParams.get("X-Amz-Credential") ?? "").split("/");
  return accessKeyId && region && service ? { accessKeyId, region, service } : undefined;
}

/** The actions that IAM is asked about for a request, with their resources, by the Service Authorization Reference. */
export function iamRequests({ service, region }: Signature, request: AwsRequest, kmsKey: string): IamRequest[] {
  const keys = { "aws:RequestedRegion": region };
  const action = new URLSearchParams(request.body).get("Action") ?? request.url.searchParams.get("Action");
  switch (service) {
    case "ec2":
    case "sts":
      return [{ action: `${service}:${action}`, resource: "*", keys }];
    case "rds": {
      const name = new URLSearchParams(request.body).get("DBSubnetGroupName") ?? "*";
      return [{ action: `rds:${action}`, resource: `arn:aws:rds:${region}:${ACCOUNT}:subgrp:${name}`, keys }];
    }
    case "eks":
      return [{ ...eksAction(request, `arn:aws:eks:${region}:${ACCOUNT}`), keys }];
    case "kms": {
      const operation = String(request.headers["x-amz-target"]).split(".").at(-1);
      return [{ action: `kms:${operation}`, resource: kmsKey, keys }];
    }
    case "s3":
      return s3Actions(request).map((asked) => ({ ...asked, keys }));
    default:
      return [{ action: `${service}:${request.method} ${request.url.pathname}`, resource: "*", keys }];
  }
}

function eksAction({ method, url }: AwsRequest, arn: string): Pick<IamRequest, "action" | "resource"> {
  const [, cluster, addOn] = /^\/clusters\/([^/]+)(?:\/addons\/([^/]+))?$/.exec(url.pathname) ?? [];
  if (method !== "GET" || cluster === undefined) {
    return { action: `eks:${method} ${url.pathname}`, resource: "*" };
  }
  return addOn === undefined
    ? { action: "eks:DescribeCluster", resource: `${arn}:cluster/${cluster}` }
    : { action: "eks:DescribeAddon", resource: `${arn}:addon/${cluster}/${addOn}/1` };
}

function s3Actions({ method, url, headers, body }: AwsRequest): Pick<IamRequest, "action" | "resource">[] {
  const path = decodeURIComponent(url.pathname).slice(1);
  const [bucket = ""] = path.split("/");
  if (path.replace(/\/$/, "") === bucket) {
    // Deleting several objects names them in the body.
    return method === "POST" && url.searchParams.has("delete")
      ? [...body.matchAll(/<Key>([^<]*)<\/Key>/g)].map(([, key]) => object("s3:DeleteObject", `${bucket}/${key}`))
      : [object(method === "GET" || method === "HEAD" ? "s3:ListBucket" : `s3:${method}`, bucket)];
  }
  const copied = headers["x-amz-copy-source"];
  const verb = { GET: "Get", HEAD: "Get", PUT: "Put", DELETE: "Delete" }[method] ?? method;
  return [
    object(`s3:${verb}Object`, path),
    ...(copied === undefined ? [] : [object("s3:GetObject", decodeURIComponent(String(copied)).replace(/^\//, ""))]),
  ];
}

function object(action: string, path: string): Pick<IamRequest, "action" | "resource"> {
  return { action, resource: `arn:aws:s3:::${path}` };
}
