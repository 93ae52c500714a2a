// Where the keyboard is, when something under it goes away.
import { useEffect, useLayoutEffect, useRef, useState } from "react";

function isLost(): boolean {
  return document.activeElement === null || document.activeElement === document.body;
}

/**
 * Gives the focus back to what had it before this was shown, once this is gone and nothing else has taken it. For dialogs
 * that are rendered only while they are open: Mantine's own return works only for those that stay.
 */
export function useReturnFocus(): void {
  const [opener] = useState(() => document.activeElement);
  useEffect(
    () => () => {
      // Later, because the focus is still in the dialog while it is taken away.
      setTimeout(() => {
        if (isLost() && opener instanceof HTMLElement && opener.isConnected) opener.focus();
      }, 0);
    },
    [opener],
  );
}

/** A button that is disabled while its act runs loses the focus; this gives it back. */
export function useKeptFocus(pending: boolean) {
  const button = useRef<HTMLButtonElement>(null);
  const had = useRef(false);
  useLayoutEffect(() => {
    if (pending) had.current = document.activeElement === button.current;
    else if (had.current && isLost()) button.current?.focus();
  }, [pending]);
  return button;
}
