// Leaving a dialog: with something typed that is not saved, the person is asked first, whether they close it,
// press Escape or go back.
import { useBlocker } from "@tanstack/react-router";
import { useRef, useState } from "react";

export interface Leave {
  /** The form says whether anything differs from what is stored, and how to let go of it. */
  watch: (isDirty: boolean, drop: () => void) => void;
  /** Closes, or asks first. */
  leave: () => void;
  isAsking: boolean;
  discard: () => void;
  stay: () => void;
}

/** One for each opening. A reload is not asked about: what was typed is kept over it. */
export function useLeave(onClose: () => void): Leave {
  const typed = useRef<{ isDirty: boolean; drop: () => void }>({ isDirty: false, drop: () => undefined });
  const [closing, setClosing] = useState(false);
  const blocker = useBlocker({
    shouldBlockFn: () => typed.current.isDirty,
    enableBeforeUnload: false,
    withResolver: true,
  });
  return {
    watch: (isDirty, drop) => {
      typed.current = { isDirty, drop };
    },
    leave: () => (typed.current.isDirty ? setClosing(true) : onClose()),
    isAsking: closing || blocker.status === "blocked",
    discard: () => {
      typed.current.drop();
      typed.current = { isDirty: false, drop: () => undefined };
      if (blocker.status === "blocked") blocker.proceed();
      onClose();
    },
    stay: () => {
      setClosing(false);
      if (blocker.status === "blocked") blocker.reset();
    },
  };
}
