/** A statement of an IAM policy, in the members that the files of `access/` use. */
interface Statement {
  readonly Effect: "Allow";
  readonly Action: string | readonly string[];
  readonly Resource?: string | readonly string[];
  readonly Condition?: { readonly StringEquals: Readonly<Record<string, string | readonly string[]>> };
}

/** An IAM policy, or the trust policy of a role. */
export interface IamPolicy {
  readonly Statement: readonly Statement[];
}

/** One request, as IAM sees it. */
export interface IamRequest {
  readonly action: string;
  /** ARN; `*` where the action knows no resources. */
  readonly resource: string;
  /** Condition keys that are set, such as `aws:RequestedRegion`. */
  readonly keys: Readonly<Record<string, string>>;
}

/** Whether a statement allows a request; there is no other kind of statement in the files. */
export function allows({ Statement }: IamPolicy, { action, resource, keys }: IamRequest): boolean {
  return Statement.some(
    (statement) =>
      statement.Effect === "Allow" &&
      [statement.Action].flat().includes(action) &&
      [statement.Resource ?? "*"].flat().some((pattern) => matches(pattern, resource)) &&
      Object.entries(statement.Condition?.StringEquals ?? {}).every(([key, values]) =>
        [values].flat().includes(keys[key] ?? ""),
      ),
  );
}

function matches(pattern: string, resource: string): boolean {
  const literal = pattern.split("*").map((part) => part.replace(/[.+?^${}()|[\]\\]/g, "\\$&"));
  return new RegExp(`^${literal.join(".*")}$`).test(resource);
}

/** Every action that a policy grants. */
export function grantedActions({ Statement }: IamPolicy): string[] {
  // One action may be granted by several statements.
  return [...new Set(Statement.flatMap(({ Action }) => [Action].flat()))].sort();
}
