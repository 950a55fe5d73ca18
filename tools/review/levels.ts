/** How much of a review is shown. */
export interface Level {
  /** Rows of a table that are always in sight. */
  readonly open: number;
  /** Further rows, folded away. */
  readonly folded: number;
  /** Whether there is a diagram. */
  readonly hasDiagram: boolean;
  /** Characters of an error or a message of a policy. */
  readonly message: number;
  /** Findings and facts of each kind. */
  readonly items: number;
  /** Whether nothing is left out that a reader could miss. */
  readonly isComplete: boolean;
}

/** A sentence for each stack and no table. */
export const SENTENCES_ONLY: Level = {
  open: 0,
  folded: 0,
  hasDiagram: false,
  message: 120,
  items: 0,
  isComplete: false,
};

/** From everything to little; the first that fits is taken. */
export const LEVELS: readonly Level[] = [
  { open: 12, folded: 400, hasDiagram: true, message: 4000, items: 50, isComplete: true },
  { open: 12, folded: 100, hasDiagram: true, message: 1000, items: 20, isComplete: false },
  { open: 10, folded: 20, hasDiagram: true, message: 500, items: 10, isComplete: false },
  { open: 6, folded: 0, hasDiagram: true, message: 300, items: 6, isComplete: false },
  { open: 5, folded: 0, hasDiagram: false, message: 200, items: 3, isComplete: false },
  { open: 2, folded: 0, hasDiagram: false, message: 120, items: 1, isComplete: false },
  SENTENCES_ONLY,
];
