/** How much of a review is shown. */
export interface Level {
  /** Rows of a table that are always in sight. */
  readonly open: number;
  /** Further rows, folded away. */
  readonly folded: number;
  /** Characters of an error or a message of a policy. */
  readonly message: number;
  /** Findings and facts of each kind. */
  readonly items: number;
  readonly hasDiagram?: true;
}

/** Nothing is left out that a reader could miss. */
export const COMPLETE: Level = { open: 12, folded: 400, message: 4000, items: 50, hasDiagram: true };

/** A sentence for each stack and no table. */
export const SENTENCES_ONLY: Level = { open: 0, folded: 0, message: 120, items: 0 };

/** From everything to little; the first that fits is taken. */
export const LEVELS: readonly Level[] = [
  COMPLETE,
  { open: 12, folded: 100, message: 1000, items: 20, hasDiagram: true },
  { open: 10, folded: 20, message: 500, items: 10, hasDiagram: true },
  { open: 6, folded: 0, message: 300, items: 6, hasDiagram: true },
  { open: 5, folded: 0, message: 200, items: 3 },
  { open: 2, folded: 0, message: 120, items: 1 },
  SENTENCES_ONLY,
];
