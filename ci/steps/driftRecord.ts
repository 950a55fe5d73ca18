/** What a drift check of a stack found. */
export interface DriftRecord {
  readonly stack: string;
  /** `unknown`: the check itself failed. */
  readonly state: "same" | "moved" | "unknown";
  /** One sentence each; empty for `same`. */
  readonly reasons: readonly string[];
}
