import { QuietLine } from "../ui/QuietLine.tsx";
import rows from "../ui/rows.module.css";
import type { Said } from "./act.ts";

/** The quiet line of the academy's pages. */
export function SaidLine({ said }: { said: Said | null }) {
  const subject = said?.subject ?? null;
  return (
    <div className={rows.said}>
      <QuietLine said={said?.text ?? null} subject={subject} sends={subject !== null} />
    </div>
  );
}
