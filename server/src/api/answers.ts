/** What a receiver answered, as it was sealed with the attempt. */
import { answerRow } from "../delivery/attempt.ts";
import type { ClinicSeal } from "../seal/seal.ts";

export interface KeptAnswer {
  /** Null where no answer came. */
  readonly text: string | null;
  readonly truncated: boolean;
}

/** Opens an attempt's answer; all null where nothing was kept. */
export function openAnswer(
  seal: ClinicSeal,
  attempt: Parameters<typeof answerRow>[0],
  sealed: Buffer | null,
): KeptAnswer {
  if (sealed === null) return { text: null, truncated: false };
  const kept = JSON.parse(seal.open({ column: "attempts.answer", row: answerRow(attempt) }, sealed)) as {
    text?: string;
    truncated?: boolean;
  };
  return { text: kept.text ?? null, truncated: kept.truncated ?? false };
}
