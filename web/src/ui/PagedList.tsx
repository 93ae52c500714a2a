import { Button, Stack } from "@mantine/core";
import type { ReactNode } from "react";
import rows from "./rows.module.css";

/** What is needed of a query that goes on page by page. */
interface Pages {
  readonly hasNextPage: boolean;
  readonly isFetchingNextPage: boolean;
  fetchNextPage(): unknown;
}

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
      {query?.hasNextPage && (
        <Button
          variant="default"
          className={rows.more}
          loading={query.isFetchingNextPage}
          onClick={() => query.fetchNextPage()}
        >
          {more}
        </Button>
      )}
    </Stack>
  );
}
