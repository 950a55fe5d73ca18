/** Milliseconds between the attempts of a request; there is one attempt more than waits. */
const WAITS = [200, 500, 1000, 2000];

/** The longest that a server may ask to wait, in milliseconds. */
const LONGEST = 15_000;

/** How an attempt ended: by an answer, or by an error in its place. */
export type Ended<T> = { readonly answer: T } | { readonly error: Error };

/** What a server asks for in `Retry-After`, in milliseconds; `undefined` where it names no number of seconds. */
export function retryAfter(header: string | null | undefined): number | undefined {
  return /^\d+$/.test(header ?? "") ? Number(header) * 1000 : undefined;
}

/**
 * Attempts a request until it ends in something that lasts, at most five times.
 *
 * @param passes milliseconds to wait, or `true` for the usual wait, where the end of an attempt may be over soon; `false`
 *   where another attempt could only end the same way, or do something twice
 */
export async function retrying<T>(
  attempt: () => Promise<T>,
  passes: (ended: Ended<T>) => number | boolean,
): Promise<T> {
  for (const usual of WAITS) {
    const ended = await attempt().then(
      (answer): Ended<T> => ({ answer }),
      (error: Error): Ended<T> => ({ error }),
    );
    const wait = passes(ended);
    if (wait === false) {
      if ("error" in ended) {
        throw ended.error;
      }
      return ended.answer;
    }
    await new Promise((resolve) => setTimeout(resolve, wait === true ? usual : Math.min(wait, LONGEST)));
  }
  return attempt();
}
