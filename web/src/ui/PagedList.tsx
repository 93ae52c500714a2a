import { Stack } from "@mantine/core";
import type { ReactNode } from "react";
import { type Pages, ReadMore } from "./ReadMore.tsx";
import rows from "./rows.module.css";

interface PagedListProps<Entry> {
  /** What the list is, for who does not see it. */
  label: string;
  /** The words of the button that fetches what follows; without it, and without `query`, all of them are there. */
  more?: string;
  entries: readonly Entry[];
  keyOf: (entry: Entry) => string | number;
  query?: Pages;
  children: (entry: Entry) => ReactNode;
}

/** The entries that have come so far, and a button for more where there are more. */
export function PagedList<Entry>({ label, more, entries, keyOf, query, children }: PagedListProps<Entry>) {
  return (
    <Stack>
      <ul className={rows.list} aria-label={label}>
        {entries.map((entry) => (
          <li key={keyOf(entry)}>{children(entry)}</li>
        ))}
      </ul>
      {query !== undefined && <ReadMore words={more} query={query} />}
    </Stack>
  );
}
