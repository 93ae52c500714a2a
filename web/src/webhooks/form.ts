// What the parts of the Configure dialog share: the draft, how to change it, and the errors at their places.
import type { Draft, Field, FieldErrors } from "./draft.ts";

export interface Form {
  draft: Draft;
  change: (changes: Partial<Draft>) => void;
  errors: FieldErrors;
}

/** The element that gets the focus when its field is wrong. */
export const fieldId = (field: Field): string => `configure-${field}`;
