/** Waits for a condition, never for a time: the tests' only way to wait. */
const LOOK_EVERY_MS = 10;
const GIVE_UP_AFTER_MS = 20_000;

/** Waits until `condition` gives something truthy, and returns it; fails with `what` when it never does. */
export async function until<Value>(
  what: string,
  condition: () => Value | Promise<Value>,
  giveUpAfterMs = GIVE_UP_AFTER_MS,
): Promise<NonNullable<Value>> {
  const giveUpAt = performance.now() + giveUpAfterMs;
  for (;;) {
    const value = await condition();
    if (value) return value as NonNullable<Value>;
    if (performance.now() > giveUpAt) throw new Error(`waited in vain until ${what}`);
    await new Promise((fulfil) => setTimeout(fulfil, LOOK_EVERY_MS));
  }
}
