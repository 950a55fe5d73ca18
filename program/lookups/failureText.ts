/**
 * Why a lookup failed, in the provider's own words on one line, the same at every run: without the function's name and
 * the request's id.
 */
export function failureText(error: unknown): string {
  return (error instanceof Error ? error.message : String(error))
    .replace(/^.*?(invocation of \S+ returned an error|Invoke of \S+ failed): /is, "")
    .replace(/invoking \S+: /, "")
    .replace(/https response error StatusCode: \d+, RequestID: [^,]*, /, "")
    .replace(/\d+ errors? occurred:\s*\* /, "")
    .replace(/\s+/g, " ")
    .replace(/[.\s]+$/, "");
}
