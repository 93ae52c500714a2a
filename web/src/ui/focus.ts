// Where the keyboard is, when something under it goes away (WCAG 2.4.3): never nowhere.
import { useEffect, useState } from "react";

function isLost(): boolean {
  return document.activeElement === null || document.activeElement === document.body;
}

/** Where something stood that was taken away. */
interface Place {
  readonly parent: Node;
  /** Null where it was the first. */
  readonly previous: Node | null;
}

/** Of whatever was taken away and is still known to somebody. */
const places = new WeakMap<Node, Place>();

/** The place in the page where something stood, though what was around it may have gone as well. */
function placeOf(gone: Node): Place | null {
  let place = places.get(gone.getRootNode());
  while (place !== undefined && !place.parent.isConnected) place = places.get(place.parent.getRootNode());
  if (place === undefined) return null;
  let { previous } = place;
  while (previous !== null && previous.parentNode !== place.parent) previous = places.get(previous)?.previous ?? null;
  return { parent: place.parent, previous };
}

const STOPS = 'a[href], button, input:not([type="hidden"]), select, textarea, summary, [tabindex]';

function isStop(element: HTMLElement): boolean {
  return (
    element.tabIndex >= 0 &&
    !element.matches(":disabled") &&
    element.closest("[inert], [aria-hidden='true']") === null &&
    element.checkVisibility({ visibilityProperty: true })
  );
}

function stopsIn(parent: Element): HTMLElement[] {
  return [...parent.querySelectorAll<HTMLElement>(STOPS)].filter(isStop);
}

function follows(element: Node, previous: Node): boolean {
  return (
    !previous.contains(element) && (previous.compareDocumentPosition(element) & Node.DOCUMENT_POSITION_FOLLOWING) !== 0
  );
}

/**
 * What is next to something that was taken away: what took its place or came after it, else what came before it, looked for
 * among its own kind first and then further around; at last the dialog or the page that it was in. Null where that is gone:
 * what is next to a dialog has nothing to do with what was in it.
 */
function neighbourOf(gone: Node): HTMLElement | null {
  const place = placeOf(gone);
  let around = place?.parent instanceof HTMLElement ? place.parent : null;
  let previous = place?.previous ?? null;
  while (around !== null && around.closest("main, [role='dialog']") !== null) {
    const stops = stopsIn(around);
    const after = stops.find((stop) => previous === null || follows(stop, previous));
    if (after !== undefined) return after;
    const isPage = around.matches("main");
    // Of a dialog, all that stands before is what closes it; of a page that went as a whole, nothing is left.
    const before = around.matches("[role='dialog']") || (isPage && previous === null) ? around : stops.at(-1);
    if (before !== undefined || isPage) return before ?? around;
    previous = around;
    around = around.parentElement;
  }
  return null;
}

/** What was there before or, where it has gone, what is next to it. */
function standIn(element: Element): HTMLElement | null {
  if (element === document.body) return null;
  if (!element.isConnected) return neighbourOf(element);
  return element instanceof HTMLElement ? element : null;
}

/** What opened the dialogs that are there, the one on top last. */
const openers: Element[] = [];

/** Where the keyboard goes on when nothing is left of where it was: the dialog on top, else the page. */
function onTop(): HTMLElement | undefined {
  return [...document.querySelectorAll<HTMLElement>("main, [role='dialog']")].at(-1);
}

/**
 * Watches over the focus for as long as the page is open. Whatever has the focus and is taken away or disabled leaves it to
 * what is next to it, or gets it back when it can be used again, unless something else has taken it by then.
 */
export function watchFocus(): void {
  let last: Element | null = null;
  document.addEventListener("focusin", ({ target }) => {
    last = target instanceof Element ? target : null;
  });
  document.addEventListener("focusout", ({ target }) => {
    // Once it is known why: who clicks beside everything wants the focus nowhere.
    queueMicrotask(() => {
      const isUsable = target instanceof HTMLElement && target.isConnected && isStop(target);
      if (isLost() && target === last && isUsable) last = null;
    });
  });
  const settle = () => {
    // In a frame the host's page may have the keyboard: it is not taken away from there.
    if (last === null || !isLost() || !document.hasFocus() || (last.isConnected && last.matches(":disabled"))) return;
    const target = standIn(last);
    if (target !== null) target.focus();
    // A dialog that has just gone gives the focus back by itself.
    else if (openers.length === 0) onTop()?.focus();
  };
  new MutationObserver((records) => {
    for (const { removedNodes, target, previousSibling } of records) {
      for (const node of removedNodes) places.set(node, { parent: target, previous: previousSibling });
    }
    // Later: whoever knows better where the focus belongs comes first.
    if (last !== null && isLost()) requestAnimationFrame(() => setTimeout(settle, 0));
  }).observe(document.body, { subtree: true, childList: true, attributeFilter: ["disabled"] });
}

/**
 * Gives the focus back to what had it before this was shown, or to what is next to it, once this is gone and nothing else has
 * taken it. For dialogs that are rendered only while they are open: Mantine's own return works only for those that stay. One
 * that takes the place of another gives it back to what opened that one.
 */
export function useReturnFocus(): void {
  const [before] = useState(() => [document.activeElement ?? document.body, ...openers.toReversed()]);
  useEffect(() => {
    const opener = before[0] as Element;
    openers.push(opener);
    return () => {
      openers.splice(openers.lastIndexOf(opener), 1);
      // Later, because the focus is still in the dialog while it is taken away.
      setTimeout(() => {
        if (isLost()) (before.map(standIn).find((one) => one !== null) ?? onTop())?.focus();
      }, 0);
    };
  }, [before]);
}
