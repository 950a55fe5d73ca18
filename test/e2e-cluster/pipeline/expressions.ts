import { data, Evaluator, Lexer, Parser } from "@actions/expressions";

/** Contexts by name, such as `matrix` and `vars`. */
export type Contexts = Readonly<Record<string, unknown>>;

/** How the jobs or steps before went, for the functions that ask. */
export interface Status {
  readonly hasFailed: boolean;
}

const STATUS_FUNCTIONS = ["always", "cancelled", "failure", "success"] as const;

/** Replaces each `${{ }}` of a text. */
export function interpolate(text: string, contexts: Contexts): string {
  return text.replace(/\$\{\{(.*?)\}\}/g, (_, expression: string) =>
    evaluate(expression, contexts, { hasFailed: false }).coerceString(),
  );
}

/** Whether a job or a step runs. Without a function that asks for the status, all before it has to have succeeded. */
export function condition(expression: string | undefined, contexts: Contexts, status: Status): boolean {
  if (expression === undefined) {
    return !status.hasFailed;
  }
  const asks = STATUS_FUNCTIONS.some((name) => expression.includes(`${name}()`));
  return isTruthy(evaluate(expression, contexts, status)) && (asks || !status.hasFailed);
}

function evaluate(expression: string, contexts: Contexts, { hasFailed }: Status): data.ExpressionData {
  const answers = { always: true, cancelled: false, failure: hasFailed, success: !hasFailed };
  const functions = STATUS_FUNCTIONS.map((name) => ({
    name,
    minArgs: 0,
    maxArgs: 0,
    call: () => new data.BooleanData(answers[name]),
  }));
  const { tokens } = new Lexer(expression).lex();
  const tree = new Parser(tokens, Object.keys(contexts), functions).parse();
  const values = JSON.parse(JSON.stringify(contexts), data.reviver) as data.Dictionary;
  return new Evaluator(tree, values, new Map(functions.map((definition) => [definition.name, definition]))).evaluate();
}

function isTruthy(value: data.ExpressionData): boolean {
  return value.kind === data.Kind.Boolean ? value.value : !["", "0", "false", "null"].includes(value.coerceString());
}
