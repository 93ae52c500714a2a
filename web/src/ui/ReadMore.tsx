import { Button } from "@mantine/core";
import rows from "./rows.module.css";
import { LoadFailed } from "./states.tsx";

/** What is needed of a query that goes on page by page. */
export interface Pages {
  readonly hasNextPage: boolean;
  readonly isFetchingNextPage: boolean;
  readonly isFetchNextPageError: boolean;
  readonly error: unknown;
  fetchNextPage(): unknown;
}

/** Below a list: the button for what follows, or why it could not be read, with another try; nothing at its end. */
export function ReadMore({ words, query }: { words: string | undefined; query: Pages }) {
  if (!query.hasNextPage) return null;
  if (query.isFetchNextPageError && !query.isFetchingNextPage) {
    return <LoadFailed error={query.error} retry={() => query.fetchNextPage()} />;
  }
  return (
    <Button
      variant="default"
      className={rows.more}
      loading={query.isFetchingNextPage}
      onClick={() => query.fetchNextPage()}
    >
      {words}
    </Button>
  );
}
