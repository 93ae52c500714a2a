// A list of any length, of which only the rows in sight are there. It reads on when its end comes near, holds its place
// when rows come in above, and keeps the row that has the focus. Rows are told apart by ARIA's place in the set, so that who
// does not see them hears where they are.
import { Stack } from "@mantine/core";
import { defaultRangeExtractor, type Range, useWindowVirtualizer } from "@tanstack/react-virtual";
import {
  type KeyboardEvent,
  type ReactNode,
  type RefObject,
  useEffect,
  useLayoutEffect,
  useRef,
  useState,
} from "react";
import { type Pages, ReadMore } from "./ReadMore.tsx";
import rows from "./rows.module.css";

/** So many rows are there above and below those in sight. */
const BEYOND_SIGHT_ROWS = 8;
/** When fewer are left below, the next page is read. */
const READ_AHEAD_ROWS = 25;

/** The page's header stays in sight, and covers so much of it. */
const HEADER_PIXELS = 56;

interface VirtualListProps<Entry> {
  /** What the list is, for who does not see it. */
  label: string;
  /** The words of the button that reads what follows, for who does not scroll. */
  more: string;
  entries: readonly Entry[];
  keyOf: (entry: Entry) => string;
  /** In pixels, until a row was measured. */
  rowHeight: number;
  /** Filled with the keys of the rows in sight. */
  shown: RefObject<readonly string[]>;
  query: Pages;
  children: (entry: Entry) => ReactNode;
}

/** How far below the top of the page the list begins, in pixels; other things above it may come and go. */
function useTopOf(list: RefObject<HTMLElement | null>): number {
  const [top, setTop] = useState(0);
  // What stands above may change with any rendering.
  useLayoutEffect(() => {
    const now = list.current === null ? 0 : Math.round(list.current.getBoundingClientRect().top + window.scrollY);
    if (now !== top) setTop(now);
  });
  return top;
}

/** Up and Down go from row to row, also to those that are not there yet; Home and End to the first and the last. */
function useArrows(count: number, scrollTo: (index: number) => void) {
  const wanted = useRef<number | null>(null);
  const list = useRef<HTMLUListElement>(null);
  const indexOf = (node: Element | null) => Number(node?.closest("li")?.dataset.index ?? -1);
  const linkOf = (index: number) => list.current?.querySelector<HTMLElement>(`li[data-index="${index}"] a`);
  useEffect(() => {
    if (wanted.current === null) return;
    const link = linkOf(wanted.current);
    if (!link) return;
    wanted.current = null;
    link.focus({ preventScroll: true });
  });
  const onKeyDown = (event: KeyboardEvent<HTMLElement>) => {
    const from = indexOf(event.target as Element);
    const targets: Record<string, number> = { ArrowDown: from + 1, ArrowUp: from - 1, Home: 0, End: count - 1 };
    const index = targets[event.key];
    if (from < 0 || index === undefined || index < 0 || index >= count) return;
    event.preventDefault();
    const link = linkOf(index);
    if (link && Math.abs(index - from) === 1) return link.focus();
    wanted.current = index;
    scrollTo(index);
  };
  return { list, onKeyDown, indexOf };
}

/** Reads on when the end comes near because somebody scrolls; in a frame as high as the list nobody does. */
function useReadOn(last: number, count: number, query: Pages) {
  const { hasNextPage, isFetchingNextPage, isFetchNextPageError, fetchNextPage } = query;
  const isNear = last >= count - READ_AHEAD_ROWS;
  useEffect(() => {
    if (isNear && hasNextPage && !isFetchingNextPage && !isFetchNextPageError && window.scrollY > 0) fetchNextPage();
  }, [isNear, hasNextPage, isFetchingNextPage, isFetchNextPageError, fetchNextPage]);
}

function useVirtualRows<Entry>({ entries, keyOf, rowHeight }: VirtualListProps<Entry>) {
  const [focused, setFocused] = useState<string | null>(null);
  const scroll = useRef((_index: number) => {});
  const arrows = useArrows(entries.length, (index) => scroll.current(index));
  const top = useTopOf(arrows.list);
  const isScrolled = window.scrollY + HEADER_PIXELS > top;
  const virtualizer = useWindowVirtualizer({
    count: entries.length,
    estimateSize: () => rowHeight,
    overscan: BEYOND_SIGHT_ROWS,
    scrollMargin: top,
    scrollPaddingStart: HEADER_PIXELS + 16,
    scrollPaddingEnd: 16,
    getItemKey: (index) => keyOf(entries[index] as Entry),
    // Who has scrolled keeps what he reads; at the top, what is new is seen at once.
    anchorTo: isScrolled ? "end" : "start",
    rangeExtractor: (range: Range) => {
      const indexes = defaultRangeExtractor(range);
      const kept = focused === null ? -1 : entries.findIndex((entry) => keyOf(entry) === focused);
      return kept < 0 || indexes.includes(kept) ? indexes : [...indexes, kept].sort((a, b) => a - b);
    },
  });
  scroll.current = (index) => virtualizer.scrollToIndex(index);
  const { indexOf, ...listProps } = arrows;
  const onFocus = (node: Element) => {
    const entry = entries[indexOf(node)];
    setFocused(entry === undefined ? null : keyOf(entry));
  };
  return { virtualizer, top, listProps, onFocus, onBlur: () => setFocused(null) };
}

/** See the head of this file. The page itself is what scrolls. */
export function VirtualList<Entry>(props: VirtualListProps<Entry>) {
  const { label, more, entries, query, shown, children } = props;
  const { virtualizer, top, listProps, onFocus, onBlur } = useVirtualRows(props);
  const { list, onKeyDown } = listProps;
  const items = virtualizer.getVirtualItems();
  useReadOn(virtualizer.range?.endIndex ?? 0, entries.length, query);
  useEffect(() => {
    shown.current = items.map(({ key }) => String(key));
  });
  return (
    <Stack>
      <ul
        ref={list}
        className={rows.list}
        data-virtual
        aria-label={label}
        onKeyDown={onKeyDown}
        onFocus={({ target }) => onFocus(target)}
        onBlur={onBlur}
        style={{ height: virtualizer.getTotalSize() + 2 }}
      >
        {items.map(({ key, index, start }) => (
          <li
            key={key}
            ref={virtualizer.measureElement}
            data-index={index}
            aria-posinset={index + 1}
            aria-setsize={query.hasNextPage ? -1 : entries.length}
            style={{ transform: `translateY(${start - top}px)` }}
          >
            {children(entries[index] as Entry)}
          </li>
        ))}
      </ul>
      <ReadMore words={more} query={query} />
    </Stack>
  );
}
